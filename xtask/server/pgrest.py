"""A stand-in for PostgREST: the read-only subset that api_tabular uses.

Follows the real source (QueryParams.hs, SqlFragment.hs, RangeQuery.hs, Error.hs):
select (aliases, casts, aggregates), filters with every scalar operator, not,
in, is, isdistinct, like/ilike, and/or trees, order, limit/offset, Prefer:
count=exact with Content-Range, HEAD, JSON and CSV bodies, error bodies and the
SQLSTATE to HTTP status mapping.

    pgrest.py --dsn postgresql://... --serve PORT=SCHEMA --serve PORT=SCHEMA
"""

import argparse
import asyncio
import difflib
import json
import re
from urllib.parse import unquote_plus

import asyncpg
from aiohttp import web


class ParseError(Exception):
    def __init__(self, message, details):
        self.message, self.details = message, details


class ApiError(Exception):
    def __init__(self, status, code, message, details=None, hint=None):
        self.status = status
        self.body = {"code": code, "details": details, "hint": hint, "message": message}


def ident(name):
    return '"' + name.replace("\0", "").replace('"', '""') + '"'


def literal(value):
    value = value.replace("\0", "").replace("'", "''")
    return ("E'" + value.replace("\\", "\\\\") + "'") if "\\" in value else "'" + value + "'"


def array_literal(values):
    esc = ['"' + v.replace("\\", "\\\\").replace('"', '\\"') + '"' for v in values]
    return literal("{" + ",".join(esc) + "}")


class Scanner:
    def __init__(self, text, what):
        self.s, self.i, self.what = text, 0, what

    def fail(self, expecting):
        got = f'unexpected "{self.s[self.i]}"' if self.i < len(self.s) else "unexpected end of input"
        raise ParseError(f'"failed to parse {self.what} ({self.s})" (line 1, column {self.i + 1})', f"{got} expecting {expecting}")

    def eof(self):
        return self.i >= len(self.s)

    def peek(self, t):
        return self.s.startswith(t, self.i)

    def take(self, t):
        if self.peek(t):
            self.i += len(t)
            return True
        return False

    def need(self, t, label=None):
        if not self.take(t):
            self.fail(label or f'"{t}"')

    def ws(self):
        while not self.eof() and self.s[self.i] in " \t":
            self.i += 1

    def quoted(self):
        """pQuotedValue, or None when there is no quote here."""
        if not self.peek('"'):
            return None
        i, out = self.i + 1, []
        while i < len(self.s):
            c = self.s[i]
            if c == "\\" and i + 1 < len(self.s):
                out.append(self.s[i + 1])
                i += 2
            elif c == '"':
                self.i = i + 1
                return "".join(out)
            else:
                out.append(c)
                i += 1
        self.i = i
        self.fail("end of quoted value")

    def field_name(self):
        q = self.quoted()
        if q is not None:
            return q
        m = re.compile(r"[\w $]+(?:-(?!>)[\w $]+)*").match(self.s, self.i)
        if not m:
            self.fail("field name (* or [a..z0..9_$])")
        self.i = m.end()
        return m.group().strip()

    def identifier(self):
        m = re.compile(r"[\w $]+").match(self.s, self.i)
        if not m:
            self.fail("letter or digit")
        self.i = m.end()
        return m.group().strip()

    def json_path(self):
        out = ""
        while self.peek("->"):
            op = "->>" if self.take("->>") else (self.take("->") and "->")
            m = re.compile(r"-?\d+(?=->|::|\.|,|\)|$)|(?:[^(),.:>\-]|-(?!>))+").match(self.s, self.i)
            if not m:
                self.fail("json key")
            self.i = m.end()
            k = m.group()
            out += op + (f"{int(k)}" if re.fullmatch(r"-?\d+", k) else literal(k))
        return out


SIMPLE = {"neq": "<>", "cs": "@>", "cd": "<@", "ov": "&&", "sl": "<<", "sr": ">>", "nxr": "&<", "nxl": "&>", "adj": "-|-"}
QUANT = {"eq": "=", "gte": ">=", "gt": ">", "lte": "<=", "lt": "<", "like": "like", "ilike": "ilike", "match": "~", "imatch": "~*"}
IS = {"null": "NULL", "not_null": "NOT NULL", "true": "TRUE", "false": "FALSE", "unknown": "UNKNOWN"}
EXPECT_OP = 'operator (eq, gt, ...)'


def single_value(sc, in_logic):
    if not in_logic:
        v, sc.i = sc.s[sc.i:], len(sc.s)
        return v
    start = sc.i
    if sc.peek('"'):
        try:
            v = sc.quoted()
            if sc.eof() or sc.s[sc.i] in ",)":
                return v
        except ParseError:
            pass
        sc.i = start
    m = re.compile(r"\{[^{}]*\}").match(sc.s, sc.i)
    if m:
        sc.i = m.end()
        return m.group()
    m = re.compile(r"[^,)]*").match(sc.s, sc.i)
    sc.i = m.end()
    return m.group()


def list_value(sc):
    sc.ws()
    sc.need("(")
    sc.ws()
    out = []
    while True:
        start = sc.i
        v = None
        if sc.peek('"'):
            try:
                v = sc.quoted()
                if not (sc.eof() or sc.s[sc.i] in ",)"):
                    v, sc.i = None, start
            except ParseError:
                v, sc.i = None, start
        if v is None:
            m = re.compile(r"[^,)]*").match(sc.s, sc.i)
            v, sc.i = m.group(), m.end()
        out.append(v)
        if not sc.take(","):
            break
    sc.ws()
    sc.need(")", '"," or ")"')
    sc.ws()
    return out


def op_expr(sc, field_sql, in_logic):
    neg = "NOT " if sc.take("not.") else ""
    if sc.take("in."):
        vals = list_value(sc)
        rhs = " = ANY('{}')" if vals == [""] else f" = ANY ({array_literal(vals)})"
        return f"{neg}{field_sql}{rhs}"
    if sc.take("isdistinct."):
        return f"{neg}{field_sql} IS DISTINCT FROM {literal(single_value(sc, in_logic))}"
    if sc.take("is."):
        for k in ("null", "not_null", "true", "false", "unknown"):
            if sc.s[sc.i: sc.i + len(k)].lower() == k:
                sc.i += len(k)
                if not in_logic and not sc.eof():
                    pass
                return f"{neg}{field_sql} IS {IS[k]}"
        sc.fail("isVal: (null, not_null, true, false, unknown)")
    for table in (SIMPLE, QUANT):
        for op in sorted(table, key=len, reverse=True):
            m = re.compile(re.escape(op) + (r"(\((any|all)\))?\." if table is QUANT else r"\.")).match(sc.s, sc.i)
            if m:
                sc.i = m.end()
                v = single_value(sc, in_logic)
                if op in ("like", "ilike"):
                    v = v.replace("*", "%")
                lit = literal(v)
                if table is QUANT and m.group(2):
                    lit = f"{m.group(2).upper()}({lit})"
                return f"{neg}{field_sql} {table[op]} {lit}"
    sc.fail('"not" or ' + EXPECT_OP if not neg else EXPECT_OP)


def logic_tree(sc, qi):
    start = sc.i
    m = re.compile(r"(not\.)?(and|or)\s*\(").match(sc.s, sc.i)
    if m:
        sc.i = m.end()
        parts = []
        while True:
            sc.ws()
            parts.append(logic_tree(sc, qi))
            sc.ws()
            if not sc.take(","):
                break
        sc.need(")", '"," or ")"')
        sc.ws()
        return ("NOT " if m.group(1) else "") + "(" + f" {m.group(2).upper()} ".join(parts) + ")"
    sc.i = start
    name = sc.field_name()
    path = sc.json_path()
    sc.need(".", "delimiter (.)")
    return op_expr(sc, f"{qi}.{ident(name)}{path}", True)


def parse_select(text, qi):
    """-> (sql select list, group by list)"""
    sc = Scanner(text, "select parameter")
    items = []
    if text == "":
        return f"{qi}.*", []
    while True:
        sc.ws()
        if sc.peek("*") and (len(sc.s) == sc.i + 1 or sc.s[sc.i + 1] in ",)"):
            sc.i += 1
            items.append((f"{qi}.*", None, None, True))
        else:
            start, alias = sc.i, None
            try:
                a = sc.field_name()
                if sc.peek(":") and not sc.peek("::"):
                    sc.i += 1
                    alias = a
                else:
                    sc.i = start
            except ParseError:
                sc.i = start
            if sc.take("count()"):
                items.append(("COUNT(*)", alias, "count", False))
            else:
                name = sc.field_name()
                path = sc.json_path()
                expr = f"{qi}.{ident(name)}{path}"
                if sc.take("::"):
                    expr = f"CAST( {expr} AS {sc.identifier()} )"
                agg = None
                m = re.compile(r"\.(sum|avg|count|max|min)\(\)").match(sc.s, sc.i)
                if m:
                    sc.i, agg = m.end(), m.group(1)
                    expr = f"{agg.upper()}({expr})"
                    if sc.take("::"):
                        expr = f"CAST( {expr} AS {sc.identifier()} )"
                items.append((expr, alias, agg, False))
        sc.ws()
        if sc.eof():
            break
        sc.need(",", '"," or end of input')
    sql = ", ".join(e + (f" AS {ident(a)}" if a else "") for e, a, _, _ in items)
    group = []
    if any(agg for _, _, agg, _ in items):
        group = [ident(a) if a else e for e, a, agg, _ in items if not agg]
    return sql, group


def parse_order(text, qi):
    sc = Scanner(text, "order")
    out = []
    while True:
        sc.ws()
        name = sc.field_name()
        path = sc.json_path()
        term = f"{qi}.{ident(name)}{path}"
        if sc.take("."):
            if sc.take("asc"):
                term += " ASC"
            elif sc.take("desc"):
                term += " DESC"
            elif sc.peek("nulls"):
                sc.i -= 1
            else:
                sc.fail('"asc", "desc", "nullsfirst" or "nullslast"')
            if sc.take("."):
                if sc.take("nullsfirst"):
                    term += " NULLS FIRST"
                elif sc.take("nullslast"):
                    term += " NULLS LAST"
                else:
                    sc.fail('"nullsfirst" or "nullslast"')
        sc.ws()
        out.append(term)
        if sc.eof():
            return ", ".join(out)
        sc.need(",", 'delimiter (.), "," or end of input')


def parse_int(v):
    return int(v) if re.fullmatch(r"\s*-?\d+\s*", v) else None


def build(schema, table, raw_query):
    qi = f"{ident(schema)}.{ident(table)}"
    params = []
    for chunk in raw_query.split("&"):
        if not chunk:
            continue
        k, eq, v = chunk.partition("=")
        params.append((unquote_plus(k), unquote_plus(v) if eq else None))
    nonempty = [(k, v) for k, v in params if v is not None]

    def last(k):
        return k.split(".")[-1]

    select = next((v for k, v in nonempty if k == "select"), "*")
    where, order, limit, offset = [], None, None, None
    for k, v in nonempty:
        if last(k) in ("and", "or"):
            neg = "not." if k.startswith("not.") else ""
            sc = Scanner(neg + last(k) + v, "logic tree")
            where.append(logic_tree(sc, qi))
            if not sc.eof():
                sc.fail("end of input")
        elif last(k) == "order":
            o = parse_order(v, qi)
            order = order or o  # the first order parameter wins
        elif last(k) == "limit":
            limit = parse_int(v)
        elif last(k) == "offset":
            offset = parse_int(v)
        elif k in ("select", "columns", "on_conflict"):
            continue
        else:
            kc = Scanner(k, "tree path")
            name = kc.field_name()
            path = kc.json_path()
            if not kc.eof():
                if kc.peek("."):
                    raise ApiError(400, "PGRST108", f"'{name}' is not an embedded resource in this request", None,
                                   f"Verify that '{name}' is included in the 'select' query parameter.")
                kc.fail("delimiter (.) or end of input")
            where.append(op_expr(Scanner(v, "filter"), f"{qi}.{ident(name)}{path}", False))
    sel, group = parse_select(select, qi)
    if limit is not None and limit < 0:
        raise ApiError(416, "PGRST103", "Requested range not satisfiable", "Limit should be greater than or equal to zero.")
    cond = (" WHERE " + " AND ".join(where)) if where else ""
    sql = f"SELECT {sel} FROM {qi}{cond}"
    if group:
        sql += " GROUP BY " + ", ".join(group)
    if order:
        sql += " ORDER BY " + order
    if limit is not None or offset:
        sql += f" LIMIT {limit if limit is not None else 'ALL'} OFFSET {max(offset or 0, 0)}"
    count = f"SELECT 1 FROM {qi}{cond}"
    return sql, count, limit, max(offset or 0, 0)


JSON_BODY = "coalesce(json_agg(_postgrest_t), '[]')::text"
# Header: the keys of the first row, not quoted.  Rows: the text form of the composite
# value without its parentheses (so booleans are t/f and null is empty).
CSV_BODY = (
    "coalesce((SELECT string_agg(k, ',') FROM (SELECT json_object_keys(row_to_json(src.*)) AS k "
    "FROM (SELECT * FROM pgrst_source LIMIT 1) src) names), '') || chr(10) || "
    "coalesce(string_agg(trim_outer, chr(10)), '')"
)


def pg_status(code):
    exact = {"23503": 409, "23505": 409, "25006": 405, "21000": 500, "22023": 400, "53400": 500, "57P01": 503,
             "P0001": 400, "42883": 404, "42P01": 404, "42P17": 500, "42501": 401}
    if code in exact:
        return exact[code]
    prefix = {"08": 503, "09": 500, "0L": 403, "0P": 403, "25": 500, "28": 403, "2D": 500, "38": 500, "39": 500, "3B": 500,
              "40": 500, "53": 503, "54": 500, "55": 500, "57": 500, "58": 500, "F0": 500, "HV": 500, "P0": 500, "XX": 500}
    return prefix.get(code[:2], 400)


async def tables(app):
    return [r[0] for r in await app["pool"].fetch(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname = $1 AND c.relkind IN ('r','v','m','f','p')", app["schema"])]


def wants_csv(accept):
    for part in (accept or "*/*").split(","):
        mt = part.split(";")[0].strip().lower()
        if mt == "text/csv":
            return True
        if mt in ("application/json", "*/*", "application/*", ""):
            return False
    raise ApiError(406, "PGRST107", f"None of these media types are available: {accept}")


async def handle(request):
    try:
        if request.method not in ("GET", "HEAD"):
            raise ApiError(405, "PGRST117", f"Unsupported HTTP method: {request.method}")
        table = unquote_plus(request.raw_path.split("?")[0].strip("/"))
        raw_query = request.raw_path.partition("?")[2]
        csv = wants_csv(request.headers.get("Accept"))
        sql, count_sql, limit, offset = build(request.app["schema"], table, raw_query)
        names = await tables(request.app)
        if table not in names:
            close = difflib.get_close_matches(table, names, 1, 0.75)
            schema = request.app["schema"]
            raise ApiError(404, "PGRST205", f"Could not find the table '{schema}.{table}' in the schema cache", None,
                           f"Perhaps you meant the table '{schema}.{close[0]}'" if close else None)
        exact = "count=exact" in request.headers.get("Prefer", "")
        total_sql = f"(SELECT count(*) FROM ({count_sql}) c)" if exact else "null::bigint"
        if exact and limit is None and not offset:
            total_sql = "count(_postgrest_t)"
        body_sql = CSV_BODY.replace("trim_outer", "left(right(_postgrest_t::text, -1), -1)") if csv else JSON_BODY
        statement = (f"WITH pgrst_source AS ({sql}) SELECT {total_sql} AS total, count(_postgrest_t) AS page, "
                     f"{body_sql} AS body FROM (SELECT * FROM pgrst_source) _postgrest_t")
        if request.app["verbose"]:
            print(statement, flush=True)
        row = await request.app["pool"].fetchrow(statement)
    except ParseError as e:
        return error(400, {"code": "PGRST100", "details": e.details, "hint": None, "message": e.message})
    except ApiError as e:
        return error(e.status, e.body)
    except asyncpg.PostgresError as e:
        return error(pg_status(e.sqlstate or ""), {
            "code": e.sqlstate, "details": e.detail, "hint": e.hint, "message": e.args[0] if e.args else str(e)})
    total, page = row["total"], row["page"]
    upper = offset + page - 1
    rng = f"{offset}-{upper}" if total != 0 and offset <= upper else "*"
    headers = {"Content-Range": f"{rng}/{'*' if total is None else total}"}
    status = 200
    if total is not None:
        if offset > total:
            return error(416, {
                "code": "PGRST103", "details": f"An offset of {offset} was requested, but there are only {total} rows.",
                "hint": None, "message": "Requested range not satisfiable"}, headers)
        if page < total:
            status = 206
    body = row["body"].encode()
    if request.method == "HEAD":
        headers["Content-Type"] = "application/json; charset=utf-8"
        return web.Response(status=status, headers=headers)
    return web.Response(status=status, body=body, headers={
        **headers, "Content-Type": ("text/csv" if csv else "application/json") + "; charset=utf-8"})


def error(status, body, headers=None):
    return web.Response(status=status, body=json.dumps(body, ensure_ascii=False).encode(),
                        headers={**(headers or {}), "Content-Type": "application/json; charset=utf-8"})


async def make_app(dsn, schema, verbose=False):
    app = web.Application()
    app["schema"], app["verbose"] = schema, verbose
    app["pool"] = await asyncpg.create_pool(dsn, min_size=1, max_size=8, statement_cache_size=0,
                                            server_settings={"timezone": "UTC", "search_path": schema})

    async def close(app):
        await app["pool"].close()

    app.on_cleanup.append(close)
    app.router.add_route("*", "/{tail:.*}", handle)
    return app


async def main(dsn, served, verbose):
    for given in served:
        port, _, schema = given.partition("=")
        runner = web.AppRunner(await make_app(dsn, schema, verbose))
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", int(port)).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    p = argparse.ArgumentParser()
    p.add_argument("--dsn", required=True)
    p.add_argument("--serve", action="append", required=True, metavar="PORT=SCHEMA")
    p.add_argument("--verbose", action="store_true")
    a = p.parse_args()
    asyncio.run(main(a.dsn, a.serve, a.verbose))
