"""NetSuite's record service: a call on a record, a list, a sub-resource or a transformation, done at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from sandbox.core import Account, answer, body_of, loads, origin
from sandbox.core.wire import BadJson
from sandbox.netsuite import records
from sandbox.netsuite.filters import Filter
from sandbox.netsuite.not_imitated import (
    OF_CHANGE,
    OF_LIST,
    OF_RECORD,
    check_accept,
    check_query,
    lacking,
)
from sandbox.netsuite.paging import page, window
from sandbox.netsuite.problems import MEDIA, Refusal, bad_query, unknown_type
from sandbox.netsuite.records import Manner
from sandbox.netsuite.render import ROOT, View, part
from sandbox.netsuite.schema import BY_LOWER_NAME, RecordType, fields_of
from sandbox.netsuite.store import Record, get, table

LEVELS = ["none", "view", "create", "edit", "full"]
NEEDED = {"GET": "view", "POST": "create", "PUT": "edit", "PATCH": "edit", "DELETE": "full"}
OF_METHOD = {"GET": OF_RECORD, "PUT": OF_CHANGE, "PATCH": OF_CHANGE}
JSON_MEDIA = ("application/json", "application/vnd.oracle.resource+json")


@dataclass
class Call:
    """What of a request the record service looks at; an asynchronous job makes one per task."""

    method: str
    path: list[str]
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    origin: str
    request: Request


def call_of(request: Request, path: list[str]) -> Call:
    return Call(
        request.method,
        path,
        request.query_params,
        request.headers,
        body_of(request),
        origin(request),
        request,
    )


def perform(account: Account, call: Call) -> Response:
    """Raises: Refusal."""
    name, *rest = call.path
    kind = BY_LOWER_NAME.get(name.lower())
    if kind is None:
        raise unknown_type(name)
    check_permission(account, kind, NEEDED.get(call.method, "full"))
    check_accept(call.headers.get("accept", ""))
    if not rest:
        return _on_list(account, kind, call)
    if len(rest) == 1:
        return _on_record(account, kind, rest[0], call)
    if rest[1].lower() == "!transform" and len(rest) == 3:
        return _transform(account, kind, rest[0], rest[2], call)
    if any(part.startswith("@") for part in rest):
        raise lacking("action")
    if rest[1].lower() in ("!attach", "!detach"):
        raise lacking("attach")
    if call.method != "GET":
        raise Refusal(405)
    check_query(call.query, OF_RECORD)
    view = _view(account, kind, call)
    record = get(account, kind, rest[0])
    return _shown(part(view, record, rest[1:], f"{call.origin}{ROOT}/{'/'.join(call.path)}"))


def check_permission(account: Account, kind: RecordType, needed: str) -> None:
    """The role may be narrow: setting `permissions` {"salesOrder": "view"}. Raises: Refusal."""
    level = account.settings.get("permissions", {}).get(kind.name, "full")
    if LEVELS.index(level) < LEVELS.index(needed):
        area = "Transactions" if kind.is_transaction else "Lists"
        sentence = (
            f"Permission Violation: You need a higher level of the '{area} -> {kind.name}' permission "
            "to access this page. Please contact your account administrator."
        )
        raise Refusal(403, "", sentence)


def _on_list(account: Account, kind: RecordType, call: Call) -> Response:
    check_query(call.query, OF_LIST if call.method == "GET" else ())
    if call.method == "GET":
        return _list(account, kind, call)
    if call.method != "POST":
        raise Refusal(405)
    manner = _manner(call)
    return _saved(kind, records.create(account, kind, _json(call), manner), call, manner)


def _on_record(account: Account, kind: RecordType, ident: str, call: Call) -> Response:
    check_query(call.query, OF_METHOD.get(call.method, ()))
    if call.method == "GET":
        record = get(account, kind, ident)
        query = f"?{call.request.url.query}" if call.request.url.query else ""
        href = f"{call.origin}{ROOT}/{kind.name.lower()}/{record['id']}"
        shown = _view(account, kind, call).record(record, href)
        return _shown({**shown, "links": [{"rel": "self", "href": f"{href}{query}", "method": "GET"}]})
    if call.method == "DELETE":
        records.delete(account, kind, ident)
        return answer(None, 204)
    manner = _manner(call)
    if call.method == "PATCH":
        return _saved(kind, records.update(account, kind, ident, _json(call), manner), call, manner)
    if call.method != "PUT":
        raise Refusal(405)
    if not ident.startswith("eid:"):
        raise Refusal(
            400, "INVALID_REQUEST", "PUT needs an external ID in the URL, in the form eid:<external ID>."
        )
    return _saved(kind, records.upsert(account, kind, ident[4:], _json(call), manner), call, manner)


def _transform(account: Account, kind: RecordType, ident: str, target: str, call: Call) -> Response:
    if call.method != "POST":
        raise Refusal(405)
    check_query(call.query, ())
    manner = _manner(call)
    made = records.transform(account, kind, ident, target, _json(call) if call.body else None, manner)
    return _saved(BY_LOWER_NAME[target.lower()], made, call, manner)


def _list(account: Account, kind: RecordType, call: Call) -> Response:
    """Ids only, whatever is asked; who wants more reads each record or asks SuiteQL."""
    limit, offset = window(call.request)
    found = list(table(account, kind).values())
    if call.query.get("q"):
        wanted = Filter(account, kind, call.query["q"]).test
        found = [record for record in found if wanted(record)]
    found.sort(key=lambda record: int(record["id"]) if record["id"].lstrip("-").isdigit() else 0)
    root = f"{call.origin}{ROOT}/{kind.name.lower()}"
    items = [
        {"links": [{"rel": "self", "href": f"{root}/{record['id']}", "method": "GET"}], "id": record["id"]}
        for record in found[offset : offset + limit]
    ]
    return answer(page(call.request, found, items, limit, offset), media_type=MEDIA.format("collection"))


def _view(account: Account, kind: RecordType, call: Call) -> View:
    only = call.query.get("fields", "")
    known = {"id", "links", *kind.sublists, *fields_of(account, kind)}
    unknown = sorted(set(filter(None, only.split(","))) - known)
    if unknown:
        raise bad_query("fields", f"Invalid value '{unknown[0]}' of the query parameter 'fields'.")
    return View(
        account,
        kind,
        call.origin,
        expand=call.query.get("expandSubResources", "").lower() == "true",
        simple_enums=call.query.get("simpleEnumFormat", "").lower() == "true",
        only=frozenset(only.split(",")) if only else frozenset(),
    )


def _mode(call: Call, name: str, usual: str) -> str:
    """How a name or a value that does not fit is taken. Raises: Refusal."""
    header = f"X-NetSuite-{name}"
    mode = call.headers.get(header.lower(), usual).lower()
    if mode not in ("error", "warning", "ignore"):
        raise Refusal(400, "INVALID_HEADER", f"Invalid value '{mode}' of {header}.", errorHeader=header)
    return mode


def _manner(call: Call) -> Manner:
    replaced = [name for name in call.query.get("replace", "").split(",") if name]
    return Manner(
        naming=_mode(call, "PropertyNameValidation", "warning"),
        valuing=_mode(call, "PropertyValueValidation", "error"),
        replace=frozenset(replaced),
        replace_selected=call.query.get("replaceSelectedFields", "").lower() == "true",
    )


def _json(call: Call) -> Any:
    """The body. Raises: Refusal."""
    media = call.headers.get("content-type", "").split(";")[0].strip().lower()
    if media not in JSON_MEDIA:
        raise Refusal(415)
    try:
        return loads(call.body)
    except BadJson as bad:
        raise Refusal(
            400, "INVALID_CONTENT", "Invalid content in the request body. Provide valid JSON."
        ) from bad


def _saved(kind: RecordType, record: Record, call: Call, manner: Manner) -> Response:
    """204 and the way to the record; a header names what was ignored."""
    headers = {"Location": f"{call.origin}{ROOT}/{kind.name.lower()}/{record['id']}"}
    if manner.unknown:
        headers["Warning"] = f'199 - "Unknown properties ignored: {", ".join(manner.unknown)}"'
    return answer(None, 204, headers)


def _shown(body: Record) -> Response:
    return answer(body, media_type=MEDIA.format("singular"))
