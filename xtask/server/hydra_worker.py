"""hydra's worker. Its modules are imported before it forks, so that a job does not begin with seconds of imports."""

import sys

import csv_detective  # noqa: F401
import udata_hydra.analysis.exports  # noqa: F401
import udata_hydra.analysis.resource  # noqa: F401
import udata_hydra.crawl.check_resources  # noqa: F401
from rq.cli import main

print("ready: the worker", flush=True)
sys.argv = ["rq", "worker", "-c", "udata_hydra.worker"]
main()
