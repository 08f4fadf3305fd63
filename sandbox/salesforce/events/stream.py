"""The Salesforce stand-in's event stream: what has been published in the last 72 hours, at opaque places."""

import json
import uuid
from datetime import timedelta
from typing import Any

from sandbox.salesforce.events.avro import bitmaps, change_schema, encode, event_fields
from sandbox.salesforce.records.org import Org
from sandbox.salesforce.records.work import Change, Work

RETENTION = timedelta(hours=72)
# A quiet stream's place moves on too, or it would age out of the retention under a faithful subscriber.
PLACE_AGES_MS = 3_600_000


def tell(work: Work) -> None:
    """Make a transaction final and publish its changes, each an event of the same transaction."""
    org = work.org
    changes = [c for c in work.finish() if c.entity in org.captured]
    if not changes:
        return
    key = transaction_key(org)
    for number, change in enumerate(changes, 1):
        publish(org, change, _header(work, change, key, number))


def transaction_key(org: Org) -> str:
    return str(uuid.UUID(org.account.token("transaction", 32)))


def _header(work: Work, change: Change, key: str, number: int) -> dict[str, Any]:
    made = work.org.objects[change.entity]
    names = set(change.fields) if change.kind == "UPDATE" else set()
    return {
        "entityName": change.entity,
        "recordIds": [change.record_id],
        "changeType": change.kind,
        "changeOrigin": work.actor.origin,
        "transactionKey": key,
        "sequenceNumber": number,
        "commitTimestamp": _now_ms(work.org),
        "commitNumber": 10**12 + 7 * work.org.account.next_number("commit"),
        "commitUser": work.actor.user_id,
        "nulledFields": bitmaps(made, {n for n in names if change.fields[n] is None}),
        "diffFields": [],
        "changedFields": bitmaps(made, names),
    }


def publish(org: Org, change: Change, header: dict[str, Any]) -> None:
    made = org.objects[change.entity]
    schema = remember(org, change_schema(made))
    event = {"ChangeEventHeader": header, **event_fields(made, change.fields)}
    topic = f"/data/{change.entity}ChangeEvent"
    org.account.notifications.publish({"topic": topic, "schema": schema, "event": event})


def gap(org: Org, entity: str, kind: str, record_ids: list[str], user_id: str) -> None:
    """Tell that something changed and not what: the vendor's GAP events."""
    header = {
        "entityName": entity, "recordIds": record_ids, "changeType": kind, "changeOrigin": "",
        "transactionKey": transaction_key(org), "sequenceNumber": 1, "commitTimestamp": _now_ms(org),
        "commitNumber": 10**12 + 7 * org.account.next_number("commit"), "commitUser": user_id,
        "nulledFields": [], "diffFields": [], "changedFields": [],
    }  # fmt: skip
    publish(org, Change(entity, "", kind), header)


def remember(org: Org, schema: dict[str, Any]) -> str:
    """Keep a schema for those who ask for it later; returns its id."""
    org.account.extra.setdefault("avro", {}).setdefault(schema["uuid"], json.dumps(schema))
    return schema["uuid"]


def append(org: Org, entry: dict[str, Any]) -> int:
    """Give an event its place in the stream, and wake those who wait for it."""
    number = org.account.next_number("event")
    # Places grow but not by one, and nothing can be learnt from their steps.
    place = number * 5 + int(org.account.secret(f"place {number}", 2), 16) % 5
    event_id = str(uuid.UUID(org.account.secret(f"event {number}", 32)))
    log(org).append({"place": place, "at": _now_ms(org), "id": event_id, **entry})
    org.account.touch()
    for waiting in list(org.waiting):
        waiting.set()
    return place


def log(org: Org) -> list[dict[str, Any]]:
    """What is retained now, oldest first."""
    stored: list[dict[str, Any]] = org.account.extra.setdefault("events", [])
    horizon = _now_ms(org) - int(RETENTION.total_seconds() * 1000)
    stale = next((i for i, e in enumerate(stored) if e["at"] >= horizon), len(stored))
    del stored[:stale]
    return stored


def latest_place(org: Org) -> int:
    """The end of the stream; a place of its own where the latest event is old."""
    stored = log(org)
    if not stored or stored[-1]["at"] < _now_ms(org) - PLACE_AGES_MS:
        return append(org, {})
    return stored[-1]["place"]


def has_place(org: Org, place: int) -> bool:
    return any(entry["place"] == place for entry in log(org))


def after(org: Org, place: int, topics: set[str], limit: int) -> list[dict[str, Any]]:
    found = []
    for entry in log(org):
        if entry["place"] > place and entry.get("topic") in topics:
            found.append(entry)
            if len(found) == limit:
                break
    return found


def payload_of(org: Org, entry: dict[str, Any]) -> bytes:
    return encode(json.loads(org.account.extra["avro"][entry["schema"]]), entry["event"])


def replay_id(place: int) -> bytes:
    return place.to_bytes(8, "big") + b"\0\0"


def place_of(opaque: bytes) -> int | None:
    """A place by the id that was sent, or by its first 8 bytes: the common Node client keeps only these."""
    if opaque[8:] not in {b"", b"\0\0"} or len(opaque) < 8:
        return None
    return int.from_bytes(opaque[:8], "big")


def _now_ms(org: Org) -> int:
    return int(org.now().timestamp() * 1000)
