"""system_apis: Kantata OX's refusals in our taxonomy, in one table. It has no error codes, only statuses."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple

from contracts.problems import (
    ContractViolation,
    Fault,
    NotFound,
    Problem,
    VendorFault,
    VendorRejected,
    VendorUnavailable,
)
from kit.http import Answer
from system_apis.vendors.kantata.records import ErrorItem, Errors

TAKEN = "taken"  # the code of a fault: another record has the same unique value


class Meaning(NamedTuple):
    """What a status means for us: the problem and a sentence."""

    kind: type[Problem]
    sentence: str


_STATUSES: dict[int, Meaning] = {
    400: Meaning(ContractViolation, "the account does not understand our request"),
    401: Meaning(VendorRejected, "our access token was revoked: an administrator must authorise us again"),
    403: Meaning(VendorRejected, "our user lacks the permission"),
    404: Meaning(NotFound, "there is no such record, or it is hidden from our user"),
    409: Meaning(VendorRejected, "the record's state does not allow this"),
    422: Meaning(VendorRejected, "the account refused the record"),
    429: Meaning(VendorUnavailable, "too many calls at a time"),
    500: Meaning(VendorUnavailable, "the account failed inside"),
    502: Meaning(VendorUnavailable, "the vendor's edge cannot reach the account"),
    503: Meaning(VendorUnavailable, "the account is under maintenance"),
    504: Meaning(VendorUnavailable, "the vendor cut the request off; it may be done"),
}

# The known sentences of validations: (pattern, our code, our sentence).
_VALIDATIONS = (
    (r"already been (entered|taken)", TAKEN, "another record has the same value"),
    (r"can'?t be blank|please give|required", "required", "is needed"),
    (r"too long|maximum", "too_long", "is too long"),
    (r"not a number|must be (an|a) (integer|number)", "not_a_number", "must be a whole number"),
    (r"does not exist|not found|invalid|not valid", "invalid", "is not valid there"),
)
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_.\[\]]{0,120}")


def reader(throttled_seconds: float) -> Callable[[Answer], Problem | None]:
    """Reads error answers; 429 comes without Retry-After, so the profile sets the delay."""

    def read_error(answer: Answer) -> Problem | None:
        meaning = _STATUSES.get(answer.status)
        if meaning is None:
            return None  # decided by its status alone
        refusals = answer.try_json(Errors)
        faults = _faults(refusals.errors if refusals else ())
        detail = f"{answer.instance}: {meaning.sentence}{_named(faults)}"
        source: dict[str, Any] = {"instance": answer.instance, "vendor_request_id": answer.request_id}
        if not issubclass(meaning.kind, VendorFault):
            return meaning.kind(detail, extra=source, errors=faults)
        wait = throttled_seconds if answer.status == 429 else None  # noqa: PLR2004 - Too Many Requests
        return meaning.kind(detail, **source, errors=faults, retry_after=wait)

    return read_error


def is_taken(problem: Problem) -> bool:
    """Whether the account refused because a unique value is there already."""
    return any(fault.code == TAKEN for fault in problem.errors)


def _faults(items: tuple[ErrorItem, ...]) -> tuple[Fault, ...]:
    return tuple(_fault(item) for item in items if item.type == "validation")


def _fault(item: ErrorItem) -> Fault:
    field = item.field if item.field and _FIELD.fullmatch(item.field) else ""
    for pattern, code, sentence in _VALIDATIONS:
        if re.search(pattern, item.message, re.IGNORECASE):
            return Fault(pointer=f"/{field}", detail=sentence, code=code, field=field)
    return Fault(pointer=f"/{field}", detail="was refused", code="refused", field=field)


def _named(faults: tuple[Fault, ...]) -> str:
    words = [f"{fault.field} {fault.detail}".strip() for fault in faults]
    return f" ({'; '.join(words)})" if words else ""
