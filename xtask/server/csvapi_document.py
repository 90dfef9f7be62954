"""What the package udata-hydra-csvapi holds of the document of an API: `csvapi_document.py tabular|metrics`.

The server reads its document from a file of its source tree, which the wheels have not. Where a package has it, it is
printed, else the routes of the server. No database, no server.
"""

import importlib
import importlib.metadata
import json
import sys

PACKAGE = "udata-hydra-csvapi"
FILES = {
    "tabular": ["tabular_swagger.yaml", "ressource_app_swagger.yaml"],
    "metrics": ["metrics_swagger.yaml"],
}
# The newest layout first.
MODULES = {
    "tabular": ["api_tabular.tabular.app", "api_tabular.app"],
    "metrics": ["api_tabular.metrics.app", "api_tabular.metrics"],
}


def document(name):
    for file in importlib.metadata.files(PACKAGE) or []:
        if file.name in FILES[name]:
            import yaml

            read = yaml.safe_load(file.read_text())
            # As the server does when it starts.
            read["info"]["version"] = importlib.metadata.version(PACKAGE)
            return read
    return None


def routes(name):
    for module in MODULES[name]:
        try:
            table = importlib.import_module(module).routes
        except ModuleNotFoundError as error:
            # Another layout; what the package itself does not find is another matter.
            if module.startswith(error.name or "-"):
                continue
            raise
        return sorted({(route.method, route.path) for route in table})
    raise SystemExit(f"{PACKAGE} has no module with the routes of {name}")


name = sys.argv[1]
json.dump({"document": document(name), "routes": routes(name)}, sys.stdout)
