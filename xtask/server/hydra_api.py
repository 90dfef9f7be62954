"""hydra's HTTP API: `hydra_api.py PORT`."""

import sys

from aiohttp import web
from udata_hydra.app import app_factory

web.run_app(app_factory(), host="127.0.0.1", port=int(sys.argv[1]))
