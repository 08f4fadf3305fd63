"""system_apis: Salesforce's error codes in our taxonomy, in one table. Match the code: its status varies."""

import re
from typing import Any, NamedTuple

import msgspec

from contracts.problems import (
    ContractViolation,
    Fault,
    NotFound,
    PreconditionFailed,
    Problem,
    VendorRejected,
    VendorUnavailable,
)
from kit.http import Answer
from system_apis.vendors.salesforce.records import ApiError, CompositeAnswer, SubAnswer

_A_WHILE = 900.0  # seconds; the daily count covers the last 24 hours, so calls become available gradually
_SHORTLY = 1.0
_LOGIN_AGAIN = 30.0
_MULTIPLE_CHOICES = 300


class Meaning(NamedTuple):
    """What an error code means for us: the problem, a sentence, seconds to wait."""

    kind: type[Problem]
    sentence: str
    wait: float | None = None


_REFUSED = VendorRejected
_CODES: dict[str, Meaning] = {
    # Come again.
    "UNABLE_TO_LOCK_ROW": Meaning(VendorUnavailable, "the record is being saved at the same time"),
    "QUERY_TIMEOUT": Meaning(VendorUnavailable, "the query took too long"),
    "SERVER_UNAVAILABLE": Meaning(VendorUnavailable, "the org is not available"),
    "UNKNOWN_EXCEPTION": Meaning(VendorUnavailable, "the org failed inside"),
    "INVALID_QUERY_LOCATOR": Meaning(VendorUnavailable, "the org dropped our place in a long answer"),
    "INVALID_SESSION_ID": Meaning(VendorUnavailable, "the session ended again at once", _LOGIN_AGAIN),
    "REQUEST_LIMIT_EXCEEDED": Meaning(VendorUnavailable, "the org's daily API calls are used up", _A_WHILE),
    # The record does not exist, or is hidden from our user.
    "NOT_FOUND": Meaning(NotFound, "there is no such record"),
    "ENTITY_IS_DELETED": Meaning(NotFound, "the record was deleted"),
    "INVALID_CROSS_REFERENCE_KEY": Meaning(NotFound, "there is no such record"),
    "MALFORMED_ID": Meaning(NotFound, "there is no such record"),
    # Concurrent changes.
    "BATCH_PROCESSING_HALTED": Meaning(PreconditionFailed, "the record has changed since it was read"),
    # Our permissions or the profile: an administrator.
    "API_DISABLED_FOR_ORG": Meaning(_REFUSED, "the org's edition has no API access"),
    "API_CURRENTLY_DISABLED": Meaning(_REFUSED, "the org's API is switched off at the moment"),
    "INSUFFICIENT_ACCESS": Meaning(_REFUSED, "our user lacks a permission on the object"),
    "INSUFFICIENT_ACCESS_OR_READONLY": Meaning(_REFUSED, "our user may not edit the record"),
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": Meaning(
        _REFUSED, "our user may not see a related record"
    ),
    "FORBIDDEN": Meaning(_REFUSED, "our user may not do this"),
    "INVALID_FIELD": Meaning(
        _REFUSED, "a field of the profile is missing in the org or hidden from our user"
    ),
    "INVALID_TYPE": Meaning(_REFUSED, "an object is missing in the org or hidden from our user"),
    "INVALID_FIELD_FOR_INSERT_UPDATE": Meaning(_REFUSED, "our user may not edit a field"),
    # The record itself, which a person must correct in the CRM.
    "REQUIRED_FIELD_MISSING": Meaning(_REFUSED, "the org demands a field that is empty"),
    "FIELD_CUSTOM_VALIDATION_EXCEPTION": Meaning(_REFUSED, "a validation rule of the org refused the save"),
    "FIELD_INTEGRITY_EXCEPTION": Meaning(_REFUSED, "a field's value does not fit another's"),
    "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST": Meaning(_REFUSED, "a picklist does not have the value"),
    "STRING_TOO_LONG": Meaning(_REFUSED, "a text is too long for its field"),
    "NUMBER_OUTSIDE_VALID_RANGE": Meaning(_REFUSED, "a number is outside its field's range"),
    "INVALID_CURRENCY_ISO": Meaning(_REFUSED, "the currency is not active in the org"),
    "INACTIVE_OWNER_OR_USER": Meaning(_REFUSED, "the record's owner is inactive"),
    "ENTITY_IS_LOCKED": Meaning(_REFUSED, "the record is locked, probably by an approval"),
    "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY": Meaning(_REFUSED, "an automation of the org failed on the save"),
    "APEX_ERROR": Meaning(_REFUSED, "an automation of the org failed"),
    "DUPLICATE_VALUE": Meaning(_REFUSED, "another record has the same unique value"),
    "DUPLICATES_DETECTED": Meaning(_REFUSED, "a duplicate rule of the org refused the save"),
    # Ours.
    "MALFORMED_QUERY": Meaning(ContractViolation, "the org does not understand our query"),
    "JSON_PARSER_ERROR": Meaning(ContractViolation, "the org does not understand our request"),
    "METHOD_NOT_ALLOWED": Meaning(ContractViolation, "the org does not accept this method here"),
    "UNSUPPORTED_API_VERSION": Meaning(_REFUSED, "the org has retired the profile's api_version"),
}

# Edge servers that cannot route to the org yet answer so, without a code.
_BY_STATUS: dict[int, Meaning] = {
    300: Meaning(ContractViolation, "the org has several such records"),
    406: Meaning(VendorUnavailable, "the org cannot be reached at the moment"),
    410: Meaning(_REFUSED, "the org has retired the profile's api_version"),
    412: Meaning(PreconditionFailed, "the record has changed since it was read"),
    420: Meaning(VendorUnavailable, "the org cannot be reached at the moment"),
}
_UNKNOWN = Meaning(_REFUSED, "the org refused the request")

_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,79}")
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,120}")


def read_error(answer: Answer) -> Problem | None:
    """What an error answer means; None: judge it by its status alone."""
    errors = answer.try_json(list[ApiError])
    return problem(errors or [], answer.status, instance=answer.instance, request_id=answer.request_id)


def read_success(answer: Answer) -> Problem | None:
    """What went wrong within a composite call, which itself answers 200 whatever became of its parts."""
    if not answer.template.endswith("/composite"):
        return None
    composite = answer.try_json(CompositeAnswer)
    failed = [
        part
        for part in (composite.composite_response if composite else ())
        if part.http_status_code >= _MULTIPLE_CHOICES
    ]
    if not failed:
        return None
    # The innocent ones are rolled back with a code of their own.
    part = min(failed, key=lambda part: any(each.code == "PROCESSING_HALTED" for each in _errors(part)))
    source: dict[str, Any] = {"instance": answer.instance, "request_id": answer.request_id}
    return problem(_errors(part), part.http_status_code, **source) or answer.violation(
        "a part of a composite call failed without a code"
    )


def _errors(part: SubAnswer) -> list[ApiError]:
    try:
        return msgspec.convert(part.body, list[ApiError])
    except msgspec.ValidationError:
        return []


def problem(errors: list[ApiError], status: int, *, instance: str, request_id: str) -> Problem | None:
    """The first error's meaning, with the fields that it names; never the vendor's own sentence."""
    first = errors[0] if errors else ApiError()
    meaning = _CODES.get(first.code) or _BY_STATUS.get(status)
    if meaning is None:
        if not _CODE.fullmatch(first.code):
            return None
        meaning = _UNKNOWN
    code = f" ({first.code})" if _CODE.fullmatch(first.code) else ""
    more: dict[str, Any] = {"errors": _faults(first, meaning.sentence), "retry_after": _wait(first, meaning)}
    source: dict[str, Any] = {"instance": instance, "vendor_request_id": request_id}
    detail = f"{instance}: {meaning.sentence}{code}"
    if issubclass(meaning.kind, VendorRejected | VendorUnavailable | ContractViolation):
        return meaning.kind(detail, **source, **more)
    return meaning.kind(detail, extra=source, **more)


def _wait(error: ApiError, meaning: Meaning) -> float | None:
    # Too many calls at once and too many in a day have one code; only the sentence distinguishes them.
    if error.code == "REQUEST_LIMIT_EXCEEDED" and error.message.startswith("Concurrent"):
        return _SHORTLY
    return meaning.wait


def _faults(error: ApiError, sentence: str) -> tuple[Fault, ...]:
    return tuple(
        Fault(pointer=f"/{field}", detail=sentence, code=error.code, field=field)
        for field in error.fields or ()
        if _FIELD.fullmatch(field)
    )


def usage(answer: Answer) -> tuple[int, int] | None:
    """The org's count of calls in 24 hours and its maximum: `Sforce-Limit-Info: api-usage=18/15000`."""
    usage = re.search(r"(?:^|[;\s])api-usage=(\d+)/(\d+)", answer.headers.get("Sforce-Limit-Info", ""))
    return (int(usage[1]), int(usage[2])) if usage else None
