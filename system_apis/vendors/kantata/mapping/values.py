"""system_apis: the values of Kantata OX's custom fields in our terms. Pure."""

from collections.abc import Callable, Mapping
from typing import Any

from system_apis.connector.catalogue import Catalogue
from system_apis.connector.values import whole_number_ids
from system_apis.vendors.kantata.profile import KantataProfile
from system_apis.vendors.kantata.records import CustomFieldValue, Held

WORKSPACE, STORY, GROUP = "Workspace", "Story", "WorkspaceGroup"
canonical_id = whole_number_ids("Kantata")


def custom_bodies(custom: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Values by field id, as a new record has them."""
    return [{"custom_field_id": id_, "value": value} for id_, value in custom.items()]


def texts(catalogue: Catalogue, record: Held, subject: str) -> Callable[[str], str]:
    """The text of a record's custom field by its name."""
    values = {id_: value.value for id_, value in by_field(record).items()}
    return lambda name: catalogue.text_of(subject, name, values)


def by_field(record: Held) -> dict[str, CustomFieldValue]:
    """The record's custom values by field id."""
    return {str(value.custom_field_id): value for value in record.custom}


def key_of(record: Held, subject: str, name: str, profile: KantataProfile, catalogue: Catalogue) -> str:
    """Our key of a record: from its unique field, or from our reference."""
    service = profile.connection.service_name
    references = (str(each.service_model_ref) for each in record.references if each.service_name == service)
    return texts(catalogue, record, subject)(name) or next(references, "")
