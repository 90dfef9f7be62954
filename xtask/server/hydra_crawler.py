"""hydra's crawler, which checks the URLs of resources, and its purge.

The package's own program ends when one URL raises; here the other URLs are still checked. Its purge of the tables of
deleted resources, which production runs from time to time, runs when the file `purge` appears in the folder HYDRA_CONTROL,
and removes that file when it is done.
"""

import asyncio
import os
import pathlib
import traceback

from udata_hydra import config, context
from udata_hydra.cli import common
from udata_hydra.cli.purge import _purge_csv_tables
from udata_hydra.crawl.check_resources import check_batch_resources
from udata_hydra.crawl.select_batch import select_batch_resources_to_check

PURGE = pathlib.Path(os.environ["HYDRA_CONTROL"], "purge")


async def main():
    context.monitor().init(
        CHECK_DELAYS=config.CHECK_DELAYS,
        BATCH_SIZE=config.BATCH_SIZE,
        BACKOFF_NB_REQ=config.BACKOFF_NB_REQ,
        BACKOFF_PERIOD=config.BACKOFF_PERIOD,
    )
    print("ready: the crawler", flush=True)
    while True:
        try:
            if batch := await select_batch_resources_to_check():
                await check_batch_resources(batch)
            if PURGE.exists():
                await _purge_csv_tables()
                PURGE.unlink()
        except Exception:
            traceback.print_exc()
            common.context["conn"].clear()
        await asyncio.sleep(config.SLEEP_BETWEEN_BATCHES)


while True:
    try:
        asyncio.run(main())
    except (Exception, asyncio.CancelledError):
        traceback.print_exc()
        # They are of the loop that has ended.
        context.context["databases"].clear()
        common.context["conn"].clear()
