"""Kantata stand-in: which query parameters a collection takes; every other one is refused.

The vendor ignores what it does not know, and knows more than is imitated here: a filter without effect would
show records that the vendor hides, so a caller learns of it at once.
"""

from sandbox.kantata.listing import EQUAL, FLAGS, HIDDEN, MOMENTS, ORDERED, SPECIAL, Query, csv
from sandbox.kantata.problems import system
from sandbox.kantata.shapes import Collection
from sandbox.kantata.store import Record
from sandbox.kantata.values import words

SHOWN = words("include optional_fields")
LISTED = words("page per_page limit offset order only search matching")
BY_REFERENCE = words(
    "external_reference_service_name external_reference_service_model "
    "external_reference_service_model_ref external_reference_service_model_refs"
)
DELETED = words("show_deleted only_deleted")
OF_EVENTS = words("most_recent most_recent_by_event_type")
EVENT_DETAILS = words("previous_payload current_payload payload_changes change_summary change_details")


def filters(collection: Collection) -> frozenset[str]:
    """The names of the parameters that choose records of this collection."""
    found = own_filters(collection) | set(MOMENTS)
    for foreign, _ in collection.belongs.values():
        found |= {foreign, f"{foreign}s"}
    return frozenset(found | BY_REFERENCE if "external_references" in collection.many else found)


def own_filters(collection: Collection) -> frozenset[str]:
    """Those that are not by instant, by the id of an association or by external reference."""
    found = {flag for flags, _ in HIDDEN.get(collection.key, ()) for flag in flags}
    for each in (FLAGS, EQUAL, SPECIAL):
        found |= set(each.get(collection.key, {}))
    if collection.key == "stories":
        found |= DELETED
    if collection.key == "subscribed_events":
        found |= OF_EVENTS
    return frozenset(found)


def associations(collection: Collection) -> frozenset[str]:
    """What `include` may name."""
    own = {*collection.belongs, *collection.many}
    return frozenset(own | {"subject"} if collection.key == "subscribed_events" else own)


def optional_fields(collection: Collection) -> frozenset[str]:
    return EVENT_DETAILS if collection.key == "subscribed_events" else collection.optional


def check_shown(collection: Collection, query: Query) -> None:
    """Raises: RefusalError, for an association or an optional field that there is not."""
    _refuse("include", csv(query.get("include", "")) - associations(collection), collection)
    unknown = csv(query.get("optional_fields", "")) - optional_fields(collection)
    _refuse("optional_fields", unknown, collection)


def check_listed(collection: Collection, query: Query, rows: list[Record]) -> None:
    """Raises: RefusalError, for a parameter that a list does not take, or an order that it does not have."""
    _refuse("parameters", set(query) - SHOWN - LISTED - filters(collection), collection)
    if "search" in query and not collection.searched:
        _refuse("parameters", {"search"}, collection)
    if BY_REFERENCE & set(query) and not query.get("external_reference_service_name"):
        raise system(400, "external_reference_service_name is needed to find by external reference")
    if "order" in query and not _is_order(query["order"], rows):
        _refuse("order", {query["order"]}, collection)


def _is_order(text: str, rows: list[Record]) -> bool:
    field, _, direction = text.partition(":")
    is_there = field in ORDERED and (not rows or any(field in row for row in rows))
    return is_there and direction.lower() in ("", "asc", "desc")


def _refuse(what: str, names: set[str] | frozenset[str], collection: Collection) -> None:
    if names:
        sentence = f"{what}: {', '.join(sorted(names))} is not imitated for {collection.key}"
        raise system(400, sentence)
