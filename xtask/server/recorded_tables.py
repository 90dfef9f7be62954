"""Puts the tables of tests/truth where the tabular API serves tables, so that tests compare it with what is known of them.

    recorded_tables.py DSN FOLDER

A table that is there already stays. The schema is that of hydra, and so is what a profile has at least.
"""

import asyncio
import json
import pathlib
import sys

import asyncpg

RESOURCES = {
    "table": "aaaaaaaa-0000-4000-8000-000000000001",
    "special": "aaaaaaaa-0000-4000-8000-000000000004",
}
DATASET = "aaaaaaaaaaaaaaaaaaaaaaaa"


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def literal(value):
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


def profile(document):
    types = {
        column["name"]: {"python_type": column["python_type"], "format": column["python_type"]}
        for column in document["columns"]
        if column["python_type"]
    }
    return json.dumps({"header": list(types), "columns": types, "total_lines": len(document["rows"])})


async def load(connection, name, resource, document):
    table = f"recorded_{name}"
    if await connection.fetchval("SELECT 1 FROM tables_index WHERE parsing_table = $1", table):
        return
    columns, exact = document["columns"], document.get("num_as_text", {})
    json_null = document.get("json_null", [])

    def text(row, column):
        value = row[column["name"]]
        if column["name"] == "num" and value is not None:
            return exact[str(row["__id"])]
        if column["pg"] == "json":
            null = value is None and row["__id"] not in json_null
            return None if null else json.dumps(value, ensure_ascii=False)
        return value

    async with connection.transaction():
        definitions = ", ".join(f"{quoted(column['name'])} {column['pg']}" for column in columns)
        await connection.execute(f"CREATE TABLE {quoted(table)} ({definitions})")
        for row in document["rows"]:
            values = ", ".join(literal(text(row, column)) for column in columns)
            await connection.execute(f"INSERT INTO {quoted(table)} VALUES ({values})")
        await connection.execute(
            "INSERT INTO tables_index (parsing_table, resource_id, url) VALUES ($1, $2, $3)",
            table,
            resource,
            f"http://127.0.0.1/{name}.csv",
        )


async def main(dsn, folder):
    connection = await asyncpg.connect(dsn)
    for name, resource in RESOURCES.items():
        document = json.loads((pathlib.Path(folder) / f"{name}.json").read_text(encoding="utf-8"))
        await load(connection, name, resource, document)
        await connection.execute(
            "UPDATE tables_index SET csv_detective = $2, dataset_id = $3 WHERE parsing_table = $1",
            f"recorded_{name}",
            profile(document),
            DATASET,
        )
    await connection.close()


asyncio.run(main(sys.argv[1], sys.argv[2]))
