"""system_apis: reads Kantata OX answers: their pages, and the records of side-loaded marks."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, NamedTuple

from kit.http import Answer
from system_apis.vendors.kantata.records import CustomFieldValue, Envelope, ExternalReference

PAGE = 200  # the vendor's most


class Found(NamedTuple):
    answer: Answer
    envelope: Envelope


def first(records: Iterable[Any]) -> Any:
    return next(iter(records), None)


def marks_of(marks: Iterable[Any], subject_type: str, subject_id: str) -> tuple[Any, ...]:
    """The custom values or references of one record among all that were side-loaded."""
    return tuple(
        mark
        for mark in marks
        if mark.subject_type.lower() == subject_type.lower() and str(mark.subject_id) == subject_id
    )


def refers(references: Iterable[ExternalReference], service_name: str, key: str) -> bool:
    return any(
        each.service_name == service_name and str(each.service_model_ref) == key for each in references
    )


def has_value(custom: Iterable[CustomFieldValue], field_id: str, key: str) -> bool:
    return any(str(each.custom_field_id) == field_id and str(each.value) == key for each in custom)


def keys_of(envelopes: Iterable[Envelope], key_field: str) -> dict[str, str]:
    return {
        str(value.subject_id): str(value.value)
        for envelope in envelopes
        for value in envelope.custom_field_values.values()
        if str(value.custom_field_id) == key_field and value.value
    }


def has_more(envelope: Envelope) -> bool:
    """Whether another page follows; older answers have only the total count."""
    meta = envelope.meta
    if meta is None or meta.page_count is None or meta.page_number is None:
        return len(envelope.results) == PAGE
    return meta.page_number < meta.page_count


def stamp(instant: dt.datetime) -> str:
    return instant.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
