"""The Salesforce stand-in's dispatch: from a path under a version to the resource that answers it."""

import re

from sandbox.salesforce.errors import Refused, not_found
from sandbox.salesforce.rest import bulk, bundles, collections, info, queries, rows, tree
from sandbox.salesforce.rest.call import Call, Handler, Reply, attempt

NAME = r"([A-Za-z][A-Za-z0-9_]*)"
ID = r"([a-zA-Z0-9]{15}|[a-zA-Z0-9]{18})"
ANY = r"([^/]+)"

# Read from top to bottom: the first path that matches is the resource, whatever the method.
TABLE: list[tuple[str, dict[str, Handler]]] = [
    ("", {"GET": info.resources}),
    ("/sobjects", {"GET": info.all_objects}),
    (f"/sobjects/{NAME}", {"GET": info.one_object, "POST": rows.create}),
    (f"/sobjects/{NAME}/describe", {"GET": info.describe}),
    (f"/sobjects/{NAME}/updated", {"GET": info.updated}),
    (f"/sobjects/{NAME}/deleted", {"GET": info.deleted}),
    (f"/sobjects/{NAME}/Id", {"POST": rows.create}),
    (f"/sobjects/{NAME}/{ANY}", {"GET": rows.read, "PATCH": rows.update, "DELETE": rows.delete}),
    (
        f"/sobjects/{NAME}/{NAME}/(.+)",
        {"GET": rows.read_by_key, "PATCH": rows.upsert, "DELETE": rows.delete_by_key},
    ),
    ("/query", {"GET": queries.query}),
    ("/queryAll", {"GET": queries.query_all}),
    (f"/(?:query|queryAll)/{ANY}", {"GET": queries.more}),
    ("/limits", {"GET": info.limits}),
    ("/limits/recordCount", {"GET": info.record_count}),
    ("/composite", {"GET": bundles.listed, "POST": bundles.composite}),
    ("/composite/batch", {"POST": bundles.batch}),
    ("/composite/graph", {"POST": bundles.graphs}),
    (f"/composite/tree/{NAME}", {"POST": tree.create}),
    (
        "/composite/sobjects",
        {"POST": collections.create, "PATCH": collections.update, "DELETE": collections.delete},
    ),
    (f"/composite/sobjects/{NAME}", {"GET": collections.read, "POST": collections.read_posted}),
    (f"/composite/sobjects/{NAME}/{NAME}", {"PATCH": collections.upsert}),
    ("/jobs/ingest", {"GET": bulk.list_ingests, "POST": bulk.open_ingest}),
    (
        f"/jobs/ingest/{ID}",
        {"GET": bulk.show, "PATCH": bulk.change_state, "DELETE": bulk.remove},
    ),
    (f"/jobs/ingest/{ID}/batches", {"PUT": bulk.upload}),
    (f"/jobs/ingest/{ID}/{NAME}", {"GET": bulk.ingest_results}),
    ("/jobs/query", {"POST": bulk.open_query}),
    (f"/jobs/query/{ID}", {"GET": bulk.show, "PATCH": bulk.change_state, "DELETE": bulk.remove}),
    (f"/jobs/query/{ID}/results", {"GET": bulk.query_results}),
]
# The first version of a resource; earlier ones do not know it.
SINCE = {
    "/composite": 38, "/composite/batch": 34, "/composite/tree": 34, "/composite/sobjects": 42,
    "/composite/graph": 50, "/jobs/ingest": 41, "/jobs/query": 47, "/limits/recordCount": 40,
}  # fmt: skip
COMPILED = [(re.compile(pattern), methods) for pattern, methods in TABLE]


def dispatch(call: Call) -> Reply:
    """The reply of the resource; a refusal is a reply too, and leaves nothing behind."""
    path = call.path.rstrip("/")
    return attempt(call, lambda: _answer(call, path))


def _answer(call: Call, path: str) -> Reply:
    since = max((known for known in SINCE if path.startswith(known)), key=len, default="")
    if call.number < SINCE.get(since, 0):
        raise not_found()
    method = call.query.get("_HttpMethod", call.method).upper()
    for pattern, methods in COMPILED:
        found = pattern.fullmatch(path)
        if found:
            handler = methods.get("GET" if method == "HEAD" else method)
            if handler is None:
                raise Refused(
                    405, "METHOD_NOT_ALLOWED",
                    f"HTTP Method '{method}' not allowed. Allowed are {','.join(sorted(methods))}",
                )  # fmt: skip
            call.method = method
            return handler(call, *found.groups())
    raise not_found()
