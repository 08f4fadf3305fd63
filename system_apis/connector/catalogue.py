"""system_apis: an account's own fields, which a vendor knows by id and people by name. Pure."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from system_apis.connector.refusals import missing
from system_apis.connector.values import finite


class CatalogueField(NamedTuple):
    """A field: its id, and what it accepts; `choices` by label where there are only some."""

    id: str
    name: str
    type: str
    unique: bool = False
    choices: Mapping[str, str] | None = None


class FieldCatalogue(msgspec.Struct, frozen=True):
    """The fields by the kind of record and their name, and the roles by name."""

    fields: Mapping[tuple[str, str], CatalogueField]
    roles: Mapping[str, str]

    def role_name(self, role_id: object) -> str:
        """The role's name, empty when the account has none of that id."""
        return next((name for name, ident in self.roles.items() if ident == str(role_id)), "")

    def field_of(self, subject: str, name: str, instance: str) -> CatalogueField:
        """Raises VendorRejected where the account has none."""
        field = self.fields.get((subject, name))
        if field is None:
            sentence = f"the account has no custom field {name!r} for {subject}"
            raise missing(instance, sentence, f"custom_fields/{name}")
        return field

    def values_of(self, subject: str, texts: Mapping[str, str], instance: str) -> dict[str, Any]:
        """Texts by field name as values by field id; raises VendorRejected for what does not fit."""
        fields = [self.field_of(subject, name, instance) for name in texts]
        return {field.id: _value(field, texts[field.name], instance) for field in fields}

    def text_of(self, subject: str, name: str, values: Mapping[str, Any]) -> str:
        """A field's value by its id as a text: the label of a choice, empty where nothing is set."""
        field = self.fields.get((subject, name)) if name else None
        value = values.get(field.id) if field else None
        if field is None or value is None:
            return ""
        if field.choices is None:
            return str(value)
        chosen = {str(each) for each in value} if isinstance(value, list) else {str(value)}
        return next((label for label, choice in field.choices.items() if choice in chosen), "")


def _value(field: CatalogueField, text: str, instance: str) -> Any:
    place = f"custom_fields/{field.name}"
    if field.choices is not None:
        if text not in field.choices:
            raise missing(instance, f"the custom field {field.name!r} has no choice {text!r}", place)
        return [field.choices[text]]
    try:
        return finite(text) if field.type == "number" else text
    except ValueError:
        sentence = f"the custom field {field.name!r} accepts numbers, not {text!r}"
        raise missing(instance, sentence, place) from None


def same_value(sent: Any, stored: Any) -> bool:
    """Whether a stored value is what was sent: choices in any order, numbers as texts."""
    if isinstance(sent, list):
        have = stored if isinstance(stored, list) else [stored]
        return sorted(map(str, sent)) == sorted(map(str, have))
    return stored is not None and str(stored) == str(sent)
