"""The Salesforce stand-in's rows: create, read, change, delete and upsert one record."""

from typing import Any

from sandbox.salesforce.errors import Ambiguous, Refused, bad_request, not_found, unknown_reference
from sandbox.salesforce.events.stream import append
from sandbox.salesforce.events.topics import PLATFORM_EVENTS, schema_of
from sandbox.salesforce.records.org import Record
from sandbox.salesforce.rest.call import Call, Reply, created
from sandbox.salesforce.rest.conditional import precondition, validators
from sandbox.salesforce.schema.fields import Field, SObject
from sandbox.salesforce.soql.rows import compound, shown_value

# From this version on an upsert that updates answers with a body.
UPSERT_TELLS_SINCE = 46.0


def create(call: Call, name: str) -> Reply:
    if name in PLATFORM_EVENTS:
        return publish_event(call, name)
    made = call.sobject(name)
    record_id = call.work.insert(made, call.body())
    return Reply(201, created(record_id), {"Location": call.location(made, record_id)})


def read(call: Call, name: str, record_id: str) -> Reply:
    made = call.sobject(name)
    record = call.org.get(made.name, record_id)
    if record is None:
        raise not_found()
    early = precondition(call, made, record)
    return early or Reply(200, shown_record(call, made, record), validators(made, record))


def update(call: Call, name: str, record_id: str) -> Reply:
    made = call.sobject(name)
    record = call.work.existing(made, record_id)
    early = precondition(call, made, record)
    if early:
        return early
    call.work.update(made, record_id, _writable(call.body()))
    return Reply(204)


def _writable(body: Record) -> Record:
    if any(key.lower() == "id" for key in body):
        message = "The Id field should not be specified in the sobject data."
        raise bad_request("INVALID_FIELD", message, ["Id"])
    return body


def delete(call: Call, name: str, record_id: str) -> Reply:
    call.work.delete(call.sobject(name), record_id)
    return Reply(204)


def read_by_key(call: Call, name: str, key: str, value: str) -> Reply:
    made = call.sobject(name)
    record = found_by_key(call, made, key_field(made, key), value)
    if record is None:
        raise not_found("The requested resource does not exist")
    return Reply(200, shown_record(call, made, record), validators(made, record))


def delete_by_key(call: Call, name: str, key: str, value: str) -> Reply:
    made = call.sobject(name)
    record = found_by_key(call, made, key_field(made, key), value)
    if record is None:
        raise not_found()
    call.work.delete(made, record["Id"])
    return Reply(204)


def upsert(call: Call, name: str, key: str, value: str) -> Reply:
    made = call.sobject(name)
    field, wanted = key_field(made, key), value
    data = call.body()
    if any(k.lower() == field.name.lower() for k in data):
        message = f"The {field.name} field should not be specified in the sobject data."
        raise bad_request("INVALID_FIELD", message, [field.name])
    record_id, is_new = upserted(call, made, field, wanted, data)
    if not is_new and call.number < UPSERT_TELLS_SINCE:
        return Reply(204)
    headers = {"Location": call.location(made, record_id)}
    return Reply(201 if is_new else 200, created(record_id, created=is_new), headers)


def upserted(call: Call, made: SObject, field: Field, wanted: Any, data: Record) -> tuple[str, bool]:
    """The record's id and whether it is new. Raises: Refused, Ambiguous."""
    record = found_by_key(call, made, field, wanted)
    if record is not None:
        call.work.update(made, record["Id"], data)
        return record["Id"], False
    if call.flag("updateOnly"):
        raise not_found()
    if field.name == "Id":
        raise unknown_reference(404)
    return call.work.insert(made, {**data, field.name: wanted}), True


def key_field(made: SObject, key: str) -> Field:
    """A field that can find a record. Raises: Refused."""
    field = made.find(key)
    if field is None or not (field.external_id or field.id_lookup):
        raise not_found(f"Provided external ID field does not exist or is not accessible: {key}")
    return field


def found_by_key(call: Call, made: SObject, field: Field, wanted: Any) -> Record | None:
    """Raises: Ambiguous."""
    if field.name == "Id":
        return call.org.get(made.name, wanted)
    found = call.org.matching(made.name, field.name, wanted)
    if len(found) > 1:
        raise Ambiguous([record["Id"] for record in found])
    return found[0] if found else None


def shown_record(call: Call, made: SObject, record: Record) -> dict[str, Any]:
    """The record as the wire shows it: all its fields, or those asked for. Raises: Refused."""
    asked = [name.strip() for name in call.query.get("fields", "").split(",") if name.strip()]
    return shown_fields(call, made, record, asked or [f.name for f in made.visible])


def shown_fields(call: Call, made: SObject, record: Record, asked: list[str]) -> dict[str, Any]:
    row: dict[str, Any] = {"attributes": {"type": made.name, "url": call.location(made, record["Id"])}}
    for name in asked:
        field = made.find(name)
        if field is None:
            raise bad_request("INVALID_FIELD", f"No such column '{name}' on sobject of type {made.name}")
        row[field.name] = compound(record, field) if field.parts else shown_value(record.get(field.name))
    # Asked for or not, the id comes along.
    return row if "Id" in row else row | {"Id": record["Id"]}


def publish_event(call: Call, name: str) -> Reply:
    """A platform event: success with an error that is none, as the vendor has it."""
    data = call.body()
    unknown = set(data) - set(PLATFORM_EVENTS[name])
    if unknown:
        raise Refused(400, "INVALID_FIELD", f"No such column '{min(unknown)}' on sobject of type {name}")
    topic = f"/event/{name}"
    system = {"CreatedDate": int(call.org.now().timestamp() * 1000), "CreatedById": call.work.actor.user_id}
    append(call.org, {"topic": topic, "schema": schema_of(call.org, topic), "event": system | data})
    number = call.org.account.next_number("platform event")
    event_id = call.org.account.secret(f"platform event {number}", 32)
    queued = {"statusCode": "OPERATION_ENQUEUED", "message": event_id, "fields": []}
    return Reply(201, created(f"e01xx{number:010d}AAA") | {"errors": [queued]})
