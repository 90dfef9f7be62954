"""A query of a Parquet file, by polars from a URL or by DuckDB from a file; prints what it took."""

import json
import sys
import time

program, query, place = sys.argv[1:]
if program == "polars":
    import polars

    table = polars.scan_parquet(place)
    run = {
        "group": lambda: table.group_by("ok").agg(polars.len(), polars.col("score").mean()).collect(),
        "filter": lambda: table.filter(polars.col("n").is_between(500_000, 509_999)).select("n", "nom").collect(),
    }[query]
else:
    import duckdb

    connection = duckdb.connect()
    text = {
        "group": "SELECT ok, count(*), avg(score) FROM read_parquet(?) GROUP BY ok",
        "filter": "SELECT n, nom FROM read_parquet(?) WHERE n BETWEEN 500000 AND 509999",
    }[query]
    run = lambda: connection.execute(text, [place]).fetchall()
cpu = time.process_time()
rows = len(run())
print(json.dumps({"rows": rows, "cpu": time.process_time() - cpu}))
