"""system_apis: the grammar of custom fields: what a field that an account insists on is given. Pure."""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from contracts.canonical.exception import OPERATIONS
from contracts.problems import Fault, VendorRejected
from system_apis.connector.refusals import missing, unmapped
from system_apis.connector.values import finite

Kind = Literal["text", "number", "boolean", "reference"]


class CustomValue(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename={"source": "from"}
):
    """Either a constant `value`, or the canonical field named by `from` (dots lead inwards).

    `map` replaces the text by the account's; `kind` is how the vendor wants it. In a profile a plain text,
    number or truth value is short for a constant.
    """

    value: str = ""
    source: str = ""
    map: dict[str, str] = {}
    kind: Kind = "text"

    def __post_init__(self) -> None:
        if bool(self.value) == bool(self.source):
            raise ValueError("a custom field has either a value or a from")


CustomValues = dict[str, CustomValue | str | int | bool]
"""By the account's field name."""


def custom_value(given: CustomValue | str | float) -> CustomValue:
    """The value in its long form."""
    match given:
        case CustomValue():
            return given
        case bool():
            return CustomValue(value=str(given).lower(), kind="boolean")
        case int() | float():
            return CustomValue(value=str(given), kind="number")
        case _:
            return CustomValue(value=given)


def custom_texts(
    wanted: Mapping[str, CustomValue | str | int | bool], noun: Any, instance: str
) -> dict[str, str]:
    """What each field is given, as text; raises VendorRejected where a `map` has no word for it."""
    return {name: _text(name, custom_value(value), noun, instance) for name, value in wanted.items()}


def custom_fields(
    wanted: Mapping[str, CustomValue | str | int | bool], noun: Any, instance: str
) -> dict[str, Any]:
    """What each field is given, by its kind; a reference as `{"id": …}`. Raises VendorRejected."""
    texts = custom_texts(wanted, noun, instance)
    return {
        name: _typed(name, texts[name], custom_value(value).kind, instance) for name, value in wanted.items()
    }


def named_texts(given: Mapping[str, str], names: Mapping[str, str], instance: str) -> dict[str, str]:
    """What a draft adds, by the account's field names; raises VendorRejected for an unknown one."""
    for noun in given:
        if noun not in names:
            raise missing(instance, f"the profile names no custom field for {noun!r}", f"custom/{noun}")
    return {names[noun]: text for noun, text in given.items()}


def _text(name: str, wanted: CustomValue, noun: Any, instance: str) -> str:
    text = wanted.value or _reach(noun, wanted.source)
    if not wanted.map or not text:
        return text
    if text not in wanted.map:
        raise unmapped(
            f"the profile of {instance} does not map {text!r} for the field {name}", name, instance
        )
    return wanted.map[text]


def _typed(name: str, text: str, kind: Kind, instance: str) -> Any:
    try:
        match kind:
            case "reference":
                return {"id": text}
            case "number":
                number = finite(text)
                return number if "." in text else int(number)
            case "boolean":
                return {"true": True, "false": False}[text.lower()]
            case "text":
                return text
    except (ValueError, KeyError):
        sentence = f"the field {name} of {instance} needs a {kind}"
        fault = Fault(f"/{name}", f"needs a {kind}", "custom_field", field=name, fixed_by=OPERATIONS)
        raise VendorRejected(sentence, instance=instance, errors=(fault,)) from None


def _reach(noun: Any, path: str) -> str:
    """A canonical field by its path, as text; empty where there is none."""
    for name in path.split("."):
        noun = noun.get(name) if isinstance(noun, dict) else getattr(noun, name, None)
        if noun is None:
            return ""
    return str(noun)
