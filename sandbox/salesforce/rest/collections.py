"""The Salesforce stand-in's collections: up to 200 records in one request, each with its own result."""

from collections.abc import Callable
from itertools import groupby
from typing import Any

from sandbox.salesforce.errors import Ambiguous, Refused, bad_request, not_deserialized, unknown_reference
from sandbox.salesforce.records.org import Record
from sandbox.salesforce.rest.call import Call, Reply, created
from sandbox.salesforce.rest.rows import key_field, shown_fields, upserted
from sandbox.salesforce.schema.fields import SObject

MOST, MOST_CHUNKS, MOST_READ = 200, 10, 2000
UNDONE = {
    "statusCode": "ALL_OR_NONE_OPERATION_ROLLED_BACK",
    "message": "Record rolled back because not all records were valid and the request was using AllOrNone "
    "header",
    "fields": [],
}
NO_ATTRIBUTES = (
    "Nested object for polymorphic foreign key must have an attributes field before any other fields."
)


def create(call: Call) -> Reply:
    def one(record: Record) -> dict[str, Any]:
        made = _sobject_of(call, record)
        return created(call.work.insert(made, record))

    return _each(call, one)


def update(call: Call) -> Reply:
    def one(record: Record) -> dict[str, Any]:
        made = _sobject_of(call, record)
        record_id = _id_of(record)
        call.work.update(made, record_id, {k: v for k, v in record.items() if k.lower() != "id"})
        return created(record_id)

    return _each(call, one)


def upsert(call: Call, name: str, key: str) -> Reply:
    made = call.sobject(name)
    field = key_field(made, key)

    def one(record: Record) -> dict[str, Any]:
        _sobject_of(call, record)
        wanted = next((v for k, v in record.items() if k.lower() == field.name.lower()), None)
        if wanted is None:
            raise bad_request("MISSING_ARGUMENT", f"{field.name} not specified", [])
        data = {k: v for k, v in record.items() if k.lower() != field.name.lower()}
        record_id, is_new = upserted(call, made, field, wanted, data)
        return created(record_id, created=is_new)

    return _each(call, one)


def delete(call: Call) -> Reply:
    ids = [i for i in call.query.get("ids", "").split(",") if i]
    return _results(call, ids, lambda i: _deleted(call, i), all_or_none=call.flag("allOrNone"))


def _deleted(call: Call, record_id: str) -> dict[str, Any]:
    made = call.org.object_of_id(record_id)
    if made is None:
        raise unknown_reference()
    call.work.delete(made, record_id)
    return created(record_id)


def read(call: Call, name: str) -> Reply:
    return _read(
        call,
        call.sobject(name),
        call.query.get("ids", "").split(","),
        call.query.get("fields", "").split(","),
    )


def read_posted(call: Call, name: str) -> Reply:
    body = call.form("ids", "fields")
    return _read(call, call.sobject(name), _texts(body, "ids"), _texts(body, "fields"))


def _texts(body: Record, name: str) -> list[str]:
    """Raises: Refused."""
    found = body.get(name, [])
    if not isinstance(found, list) or not all(isinstance(text, str) for text in found):
        raise not_deserialized("String", found)
    return found


def _read(call: Call, made: SObject, ids: list[str], fields: list[str]) -> Reply:
    wanted = [f.strip() for f in fields if f.strip()]
    if not wanted:
        raise bad_request("INVALID_FIELD", "A list of fields is required")
    if len(ids) > MOST_READ:
        raise bad_request("EXCEEDED_ID_LIMIT", f"At most {MOST_READ} records are read in one call")
    records = [call.org.get(made.name, i.strip()) for i in ids]
    return Reply(200, [shown_fields(call, made, r, wanted) if r else None for r in records])


def _each(call: Call, one: Callable[[Record], dict[str, Any]]) -> Reply:
    body = call.form("allOrNone", "records")
    records = body.get("records")
    if not isinstance(records, list):
        raise bad_request("JSON_PARSER_ERROR", "A list of records is required")
    if len(list(groupby(records, _kind_of))) > MOST_CHUNKS:
        message = (
            f"Cannot have more than {MOST_CHUNKS} chunks in a single operation. Please rearrange the data"
        )
        raise bad_request("LIMIT_EXCEEDED", f"{message} to reduce chunking.")
    return _results(call, records, one, all_or_none=bool(body.get("allOrNone")))


def _results(
    call: Call, items: list[Any], one: Callable[[Any], dict[str, Any]], *, all_or_none: bool
) -> Reply:
    if len(items) > MOST:
        raise Refused(
            400, "EXCEEDED_MAX_SIZE_REQUEST", f"record limit reached. cannot submit more than {MOST} records"
        )
    start = call.work.mark()
    results = [_attempted(call, item, one) for item in items]
    if all_or_none and not all(r["success"] for r in results):
        call.work.rollback(start)
        return Reply(
            200, [r if not r["success"] else {"success": False, "errors": [UNDONE]} for r in results]
        )
    return Reply(200, results)


def _attempted(call: Call, item: Any, one: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    mark = call.work.mark()
    try:
        return one(item)
    except Refused as refused:
        call.work.rollback(mark)
        return {"success": False, "errors": [refused.row()]}
    except Ambiguous:
        call.work.rollback(mark)
        row = {"statusCode": "DUPLICATE_EXTERNAL_ID", "message": "more than one record found", "fields": []}
        return {"success": False, "errors": [row]}


def _kind_of(record: Any) -> str:
    attributes = record.get("attributes") if isinstance(record, dict) else None
    return str(attributes.get("type")) if isinstance(attributes, dict) else ""


def _sobject_of(call: Call, record: Any) -> SObject:
    """Raises: Refused."""
    attributes = record.get("attributes") if isinstance(record, dict) else None
    if not isinstance(attributes, dict) or "type" not in attributes:
        raise bad_request("JSON_PARSER_ERROR", NO_ATTRIBUTES)
    return call.sobject(str(attributes["type"]))


def _id_of(record: Record) -> str:
    found = next((v for k, v in record.items() if k.lower() == "id"), None)
    if not found:
        raise bad_request("MISSING_ARGUMENT", "Id not specified in an update call", [])
    return str(found)
