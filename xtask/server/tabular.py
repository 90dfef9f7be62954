"""The tabular or the metrics API, from the package udata-hydra-csvapi.

    tabular.py tabular|metrics PORT

AGGREGATION_FILE names the resources that may be aggregated, one a line. It is read at each request, since resources
get their ids when they are published; the package reads its setting once.
"""

import os
import sys

from aiohttp import web
from api_tabular import config


def allowed():
    try:
        with open(os.environ["AGGREGATION_FILE"]) as file:
            return file.read().split()
    except FileNotFoundError:
        return []


@web.middleware
async def aggregation(request, handler):
    config.override(ALLOW_AGGREGATION=allowed())
    return await handler(request)


async def app(name):
    if name == "metrics":
        from api_tabular.metrics.app import app_factory
    else:
        from api_tabular.tabular.app import app_factory
    app = await app_factory()
    app.middlewares.append(aggregation)
    return app


if __name__ == "__main__":
    web.run_app(app(sys.argv[1]), host="127.0.0.1", port=int(sys.argv[2]))
