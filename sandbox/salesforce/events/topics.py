"""The Salesforce stand-in's topics: the names that a client may ask for, what they carry, by which schema."""

import json
from typing import Any

from sandbox.salesforce.events.avro import change_schema, platform_schema
from sandbox.salesforce.events.stream import remember
from sandbox.salesforce.records.org import Org

ALL_CHANGES = "/data/ChangeEvents"
PLATFORM_EVENTS = {"Project_Notice__e": ["Project_Id__c", "Message__c"]}


def carried(org: Org, topic: str) -> set[str] | None:
    """The topics whose events a subscriber of this one gets; None if there is no such topic."""
    if topic == ALL_CHANGES:
        return {f"/data/{name}ChangeEvent" for name in org.captured}
    if topic in {f"/data/{name}ChangeEvent" for name in org.captured}:
        return {topic}
    if topic.startswith("/event/") and topic.removeprefix("/event/") in PLATFORM_EVENTS:
        return {topic}
    return None


def is_platform_event(topic: str) -> bool:
    return topic.startswith("/event/")


def schema_of(org: Org, topic: str) -> str:
    """The id of the schema by which the topic's next event is written."""
    if is_platform_event(topic):
        name = topic.removeprefix("/event/")
        return remember(org, platform_schema(name, PLATFORM_EVENTS[name]))
    entity = "Account" if topic == ALL_CHANGES else topic.removeprefix("/data/").removesuffix("ChangeEvent")
    return remember(org, change_schema(org.objects[entity]))


def schema_text(org: Org, schema_id: str) -> str | None:
    return org.account.extra.get("avro", {}).get(schema_id)


def schema_by_id(org: Org, schema_id: str) -> dict[str, Any] | None:
    text = schema_text(org, schema_id)
    return json.loads(text) if text else None
