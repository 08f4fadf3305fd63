"""system_apis: refusals that we raise ourselves, before a request or after an answer that hides one. Pure."""

from collections.abc import Iterable
from decimal import Decimal

from contracts.canonical import countries, currencies
from contracts.canonical.exception import OPERATIONS
from contracts.canonical.values import Money
from contracts.problems import Fault, NotFound, VendorRejected


def unmapped(sentence: str, place: str, instance: str, fixed_by: str = OPERATIONS) -> VendorRejected:
    """The refusal of a value for which the account has no other: nothing is ever put in its place."""
    fault = Fault(f"/{place}", sentence, "unmapped", field=place.rpartition("/")[2], fixed_by=fixed_by)
    return VendorRejected(sentence, instance=instance, errors=(fault,))


def checked_country(code: str, place: str, instance: str) -> str:
    """The code of a country, or none; refused where ISO 3166-1 has no such one."""
    if code and not countries.is_code(code):
        raise unmapped(f"{code!r} is no country code of ISO 3166-1", place, instance, fixed_by="caller")
    return code


def payable(money: Money, place: str, instance: str) -> Decimal:
    """The amount; refused where its currency has no such fraction: half a yen cannot be paid."""
    if not currencies.is_payable(money):
        sentence = f"{money.amount} {money.currency} is finer than the smallest amount of the currency"
        fault = Fault(f"/{place}", sentence, "too_fine", field=place.rpartition("/")[2], fixed_by="caller")
        raise VendorRejected(sentence, instance=instance, errors=(fault,))
    return money.amount


def check_lengths(texts: Iterable[tuple[str, str, int]], instance: str) -> None:
    """Raises VendorRejected with a fault for each text that is longer than its field: (place, text, most).

    For texts that say something else once they are cut.
    """
    faults = tuple(
        Fault(
            f"/{place}",
            f"has {len(text)} characters; {instance} takes {most}",
            "too_long",
            field=place.rpartition("/")[2],
            fixed_by="caller",
        )
        for place, text, most in texts
        if len(text) > most
    )
    if faults:
        named = ", ".join(f"the {_spoken(fault.pointer)} {fault.detail}" for fault in faults)
        raise VendorRejected(f"A text is too long: {named}", instance=instance, errors=faults)


def _spoken(pointer: str) -> str:
    """`/billing_address/line1` and `/tasks/0/title` as a person says them, counting from one."""
    parts = pointer.strip("/").replace("_", " ").split("/")
    return " ".join(str(int(part) + 1) if part.isdecimal() else part for part in parts)


def no_such(instance: str, noun: str, key: str) -> NotFound:
    """What a look-up by key or by id did not find."""
    sentence = f"{instance} has no {noun} {key}, or hides it from our user"
    return NotFound(sentence, instance=instance)


def inactive(instance: str, noun: str, name: str, place: str) -> VendorRejected:
    """The refusal of something new for a record that is set inactive; finance sets it active."""
    sentence = f"The {noun} {name!r} is inactive in {instance}"
    fault = Fault(f"/{place}", sentence, "inactive", field=place, fixed_by="finance")
    return VendorRejected(sentence, instance=instance, errors=(fault,))


def missing(instance: str, sentence: str, place: str) -> VendorRejected:
    """What the account or the profile lacks; an administrator adds it."""
    field = place.rpartition("/")[2]
    fault = Fault(f"/{place}", sentence, "missing", field=field, fixed_by=OPERATIONS)
    return VendorRejected(f"{instance}: {sentence}", instance=instance, errors=(fault,))


def ignored(instance: str, what: str, places: Iterable[tuple[str, str]]) -> VendorRejected:
    """The problem for what a vendor did not save although it answered that it had: (pointer, field)."""
    errors = tuple(
        Fault(pointer, "was not saved", "ignored", field=field, fixed_by=OPERATIONS)
        for pointer, field in places
    )
    return VendorRejected(f"{instance}: {what}", instance=instance, errors=errors)
