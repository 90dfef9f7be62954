"""The datasets of a catalogue, by the official client of Python; prints what it took."""

import json
import sys
import time

from datagouv import Client, Dataset

origin, of, mask = sys.argv[1], sys.argv[2], sys.argv[3] if len(sys.argv) > 3 else None
client = Client()
client.base_url = origin
query = "api/1/datasets/?page_size=100"
wall, cpu = time.perf_counter(), time.process_time()
cast_as = Dataset if of == "objects" else None
found = sum(1 for _ in client.get_all_from_api_query(query, mask=mask, cast_as=cast_as))
print(json.dumps({"items": found, "wall": time.perf_counter() - wall, "cpu": time.process_time() - cpu}))
