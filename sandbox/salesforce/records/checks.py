"""The Salesforce stand-in's checks before a save: required, unique, references, the firm's own rules."""

from typing import Any

from sandbox.salesforce.errors import (
    Refused,
    bad_request,
    duplicate,
    missing,
    not_writable,
    unknown_reference,
)
from sandbox.salesforce.records.org import Org, Record
from sandbox.salesforce.schema.fields import SObject


def writable(denied: list[str]) -> None:
    """Raises: Refused."""
    if denied:
        raise not_writable(denied)


def defaults(org: Org, made: SObject, user_id: str) -> Record:
    """What a new record has when its maker says nothing."""
    values: Record = {
        f.name: f.default for f in made.fields.values() if f.defaulted and f.default is not None
    }
    if "OwnerId" in made.fields:
        values["OwnerId"] = user_id
    if "CurrencyIsoCode" in made.fields:
        user = org.get("User", user_id)
        values["CurrencyIsoCode"] = (user or {}).get("DefaultCurrencyIsoCode") or "GBP"
    return values


def check(org: Org, made: SObject, record: Record, given: set[str]) -> None:
    """Raises: Refused."""
    _required(made, record)
    _references(org, made, record, given)
    _unique(org, made, record)
    _firm_rules(org, made, record)


def _required(made: SObject, record: Record) -> None:
    lacking = [f.name for f in made.fields.values() if f.required and record.get(f.name) is None]
    emptied = [f.name for f in made.fields.values() if f.name == "OwnerId" and record.get(f.name) is None]
    if lacking or emptied:
        raise missing(lacking + emptied)


def _references(org: Org, made: SObject, record: Record, given: set[str]) -> None:
    for name in given:
        reference = made.fields[name]
        value = record.get(name)
        if reference.type != "reference" or value is None or reference.target is None:
            continue
        target = org.objects.get(reference.target)
        if target and value[:3] != target.prefix:
            label = reference.label
            raise bad_request("MALFORMED_ID", f"{label}: id value of incorrect type: {value}", [name])
        if target and org.get(target.name, value) is None:
            raise unknown_reference()
        if name == "OwnerId" and not (org.get("User", value) or {}).get("IsActive"):
            raise bad_request(
                "INACTIVE_OWNER_OR_USER", "operation performed with inactive user [" + value + "] as owner",
                ["OwnerId"],
            )  # fmt: skip


def _unique(org: Org, made: SObject, record: Record) -> None:
    for field in made.fields.values():
        value: Any = record.get(field.name)
        if not field.unique or value is None:
            continue
        for other in org.matching(made.name, field.name, value):
            if other["Id"] != record.get("Id"):
                raise duplicate(field.name, other["Id"])


def _firm_rules(org: Org, made: SObject, record: Record) -> None:
    """The org's validation rules: a condition in SOQL's terms that must not hold."""
    # Imported here: conditions read records through the same org that is being checked.
    from sandbox.salesforce.soql.conditions import holds  # noqa: PLC0415

    for rule in org.account.extra.get("validation_rules", []):
        if rule["object"] == made.name and holds(org, made, record, rule["condition"]):
            fields = [rule["field"]] if rule.get("field") else []
            raise Refused(400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", rule["message"], fields)
