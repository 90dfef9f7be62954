"""Writes the document of an API of udata: `document.py 1` or `document.py 2`. No database, no server.

It names the host and the scheme of production, as the document that production serves does.
"""

import json
import os
import sys

os.environ["UDATA_SETTINGS"] = os.devnull  # no local udata.cfg

from udata import settings  # noqa: E402
from udata.app import create_app, standalone  # noqa: E402


class Production(settings.Defaults):
    SERVER_NAME = "www.data.gouv.fr"
    PREFERRED_URL_SCHEME = "https"
    SECRET_KEY = API_TOKEN_SECRET = SECURITY_PASSWORD_SALT = "not a secret: nothing is served"
    CACHE_TYPE = "flask_caching.backends.NullCache"


app = standalone(create_app(Production))

from udata import api  # noqa: E402

with app.test_request_context():
    described = api.apiv2 if sys.argv[1] == "2" else api.api
    sys.stdout.write(json.dumps(described.__schema__))
