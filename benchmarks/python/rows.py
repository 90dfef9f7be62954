"""Rows of a table, by the official client of Python; prints what they took."""

import itertools
import json
import sys
import time

from datagouv import Client, Resource

url, resource, most = sys.argv[1], sys.argv[2], int(sys.argv[3])
table = Resource(resource, dataset_id="measured", fetch=False, _client=Client())
table.tabular_api_url = f"{url}/api/resources/{resource}/"
wall, cpu = time.perf_counter(), time.process_time()
found = sum(1 for _ in itertools.islice(table.rows(), most))
print(json.dumps({"rows": found, "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}))
