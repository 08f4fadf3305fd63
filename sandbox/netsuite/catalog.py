"""NetSuite's metadata catalogue: the record types, and each one's schema with the account's custom fields."""

from typing import Any

from starlette.responses import Response

from sandbox.core import Account, answer
from sandbox.netsuite.problems import MEDIA, Refusal, unknown_type
from sandbox.netsuite.schema import BY_LOWER_NAME, SUBRECORDS, TYPES, Field, RecordType, fields_of

SWAGGER, SCHEMA = "application/swagger+json", "application/schema+json"
SCALAR_SHAPES = {
    "string": {"type": "string"},
    "boolean": {"type": "boolean"},
    "number": {"type": "number", "format": "double"},
    "integer": {"type": "integer", "format": "int64"},
    "date": {"type": "string", "format": "date"},
    "date-time": {"type": "string", "format": "date-time"},
    "duration": {"type": "string"},
}


def serve(account: Account, path: list[str], select: str | None, accept: str, origin: str) -> Response:
    """Raises: Refusal."""
    names = path[:1] or (select.split(",") if select else [])
    if any(name != name.strip() or not name for name in names):
        raise Refusal(
            400, "INVALID_REQUEST", "Invalid value of the query parameter 'select'.", errorQueryParam="select"
        )
    kinds = [_kind(name) for name in names] or list(TYPES.values())
    if SWAGGER in accept:
        return answer(openapi(account, kinds), media_type=SWAGGER)
    if SCHEMA in accept:
        schemas = {kind.name: schema(account, kind) for kind in kinds}
        return answer(
            schemas[kinds[0].name] if path else {"components": {"schemas": schemas}}, media_type=SCHEMA
        )
    return answer(_listing(kinds, origin), media_type=MEDIA.format("collection"))


def _kind(name: str) -> RecordType:
    if name.lower() not in BY_LOWER_NAME:
        raise unknown_type(name)
    return BY_LOWER_NAME[name.lower()]


def _listing(kinds: list[RecordType], origin: str) -> dict[str, Any]:
    root = f"{origin}/services/rest/record/v1/metadata-catalog"
    items = []
    for kind in kinds:
        links = [{"rel": "canonical", "href": f"{root}/{kind.name}", "mediaType": "application/json"}]
        links += [
            {"rel": "describes", "href": f"{root}/{kind.name}", "mediaType": media}
            for media in (SWAGGER, SCHEMA)
        ]
        items.append({"name": kind.name, "links": links})
    return {"items": items}


def schema(account: Account, kind: RecordType) -> dict[str, Any]:
    """A record's JSON schema; nothing is marked as required, as there."""
    properties = {
        name: _property(each)
        for name, each in fields_of(account, kind).items()
        if not name.startswith("custcol")
    }
    custom = {n: _property(f) for n, f in fields_of(account, kind).items() if n.startswith("custcol")}
    for name, sublist in kind.sublists.items():
        line = {n: _property(f) for n, f in sublist.fields.items()} | custom
        items = {"type": "array", "items": {"type": "object", "properties": line}}
        properties[name] = {"type": "object", "properties": {"items": items}, "x-ns-filterable": False}
    return {"type": "object", "properties": properties, "x-ns-filterable": [*fields_of(account, kind)]}


def _property(each: Field) -> dict[str, Any]:
    shape: dict[str, Any]
    if each.kind in {"ref", "enum"}:
        inner = {"id": {"type": "string"}, "refName": {"type": "string"}}
        shape = {"type": "object", "properties": inner}
    elif each.kind in SUBRECORDS:
        shape = {"type": "object", "properties": {n: _property(f) for n, f in SUBRECORDS[each.kind].items()}}
    else:
        shape = dict(SCALAR_SHAPES[each.kind])
    shape["title"] = each.spoken
    shape["nullable"] = True
    shape["x-ns-filterable"] = each.kind not in SUBRECORDS
    if each.custom:
        shape["x-ns-custom-field"] = True
    if each.read_only:
        shape["readOnly"] = True
    return shape


def openapi(account: Account, kinds: list[RecordType]) -> dict[str, Any]:
    return {
        "openapi": "3.0.1",
        "info": {"title": "NetSuite REST Record API", "version": "v1"},
        "servers": [{"url": "/services/rest/record/v1"}],
        "paths": {path: item for kind in kinds for path, item in _paths(kind).items()},
        "components": {"schemas": {kind.name: schema(account, kind) for kind in kinds}},
    }


def _paths(kind: RecordType) -> dict[str, Any]:
    body = {"content": {"application/json": {"schema": {"$ref": f"#/components/schemas/{kind.name}"}}}}

    def operation(verb: str, status: str, **more: Any) -> dict[str, Any]:
        return {
            "operationId": f"{verb}_{kind.name}",
            "tags": [kind.name],
            "responses": {status: {"description": ""}},
            **more,
        }

    one = {
        "get": operation("get", "200"),
        "patch": operation("patch", "204", requestBody=body),
        "put": operation("put", "204", requestBody=body),
        "delete": operation("delete", "204"),
    }
    whole = {"get": operation("list", "200"), "post": operation("post", "204", requestBody=body)}
    return {f"/{kind.name}": whole, f"/{kind.name}/{{id}}": one}
