"""system_apis: refusals that we raise ourselves, before a request or after an answer that hides one. Pure."""

from collections.abc import Iterable

from contracts.canonical import countries
from contracts.problems import Fault, NotFound, VendorRejected


def unmapped(sentence: str, place: str, instance: str, fixed_by: str = "administrator") -> VendorRejected:
    """The refusal of a value for which the account has no other: nothing is ever put in its place."""
    fault = Fault(f"/{place}", sentence, "unmapped", field=place.rpartition("/")[2], fixed_by=fixed_by)
    return VendorRejected(sentence, instance=instance, errors=(fault,))


def checked_country(code: str, place: str, instance: str) -> str:
    """The code of a country, or none; refused where ISO 3166-1 has no such one."""
    if code and not countries.is_code(code):
        raise unmapped(f"{code!r} is no country code of ISO 3166-1", place, instance, fixed_by="caller")
    return code


def no_such(instance: str, noun: str, key: str) -> NotFound:
    """What a look-up by key or by id did not find."""
    sentence = f"{instance} has no {noun} {key}, or hides it from our user"
    return NotFound(sentence, instance=instance)


def inactive(instance: str, noun: str, name: str, place: str) -> VendorRejected:
    """The refusal of something new for a record that is set inactive; finance sets it active."""
    sentence = f"the {noun} {name!r} is inactive in {instance}"
    fault = Fault(f"/{place}", sentence, "inactive", field=place, fixed_by="finance")
    return VendorRejected(sentence, instance=instance, errors=(fault,))


def missing(instance: str, sentence: str, place: str) -> VendorRejected:
    """What the account or the profile lacks; an administrator adds it."""
    field = place.rpartition("/")[2]
    fault = Fault(f"/{place}", sentence, "missing", field=field, fixed_by="administrator")
    return VendorRejected(f"{instance}: {sentence}", instance=instance, errors=(fault,))


def ignored(instance: str, what: str, places: Iterable[tuple[str, str]]) -> VendorRejected:
    """The problem for what a vendor did not save although it answered that it had: (pointer, field)."""
    errors = tuple(
        Fault(pointer, "was not saved", "ignored", field=field, fixed_by="administrator")
        for pointer, field in places
    )
    return VendorRejected(f"{instance}: {what}", instance=instance, errors=errors)
