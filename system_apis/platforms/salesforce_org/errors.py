"""system_apis: Salesforce's error codes in our taxonomy, in one table. Match the code: its status varies."""

import re

import msgspec

from contracts.problems import (
    ContractViolation,
    NotFound,
    PreconditionFailed,
    Problem,
    VendorRejected,
    VendorUnavailable,
)
from kit.http import VendorAnswer, says_transient
from system_apis.connector.errors import (
    ALREADY_EXISTS,
    Meaning,
    Origin,
    Refusal,
    faults_of,
    meaning_of,
    problem_of,
)
from system_apis.platforms.salesforce_org.records import ApiError, CompositeAnswer, SubAnswer

_A_WHILE = 900.0  # seconds; the daily count covers the last 24 hours, so calls become available gradually
_SHORTLY = 1.0
_LOGIN_AGAIN = 30.0
_MULTIPLE_CHOICES = 300

_BUSY, _REFUSED = VendorUnavailable, VendorRejected
MEANINGS = (
    # Come again.
    Meaning(_BUSY, "the record is being saved at the same time", code="UNABLE_TO_LOCK_ROW"),
    # An automation that waited in vain for a lock reports it in the sentence of another code.
    Meaning(_BUSY, "the record is being saved at the same time", text=r"\bUNABLE_TO_LOCK_ROW\b"),
    Meaning(_BUSY, "the query took too long", code="QUERY_TIMEOUT"),
    Meaning(_BUSY, "the request took too long", code="REQUEST_RUNNING_TOO_LONG"),
    Meaning(
        _BUSY, "the org's API is switched off at the moment", code="API_CURRENTLY_DISABLED", wait=_A_WHILE
    ),
    Meaning(_BUSY, "the org is not available", code="SERVER_UNAVAILABLE"),
    Meaning(_BUSY, "the org failed inside", code="UNKNOWN_EXCEPTION"),
    Meaning(_BUSY, "the org dropped our place in a long answer", code="INVALID_QUERY_LOCATOR"),
    Meaning(_BUSY, "the session ended again at once", code="INVALID_SESSION_ID", wait=_LOGIN_AGAIN),
    # Too many calls at once and too many in a day have one code; only the sentence distinguishes them.
    Meaning(_BUSY, "too many calls at once", 0, "REQUEST_LIMIT_EXCEEDED", "^Concurrent", wait=_SHORTLY),
    Meaning(_BUSY, "the org's daily API calls are used up", code="REQUEST_LIMIT_EXCEEDED", wait=_A_WHILE),
    # The record does not exist, or is hidden from our user.
    Meaning(NotFound, "there is no such record", code="NOT_FOUND"),
    Meaning(NotFound, "the record was deleted", code="ENTITY_IS_DELETED"),
    Meaning(NotFound, "there is no such record", code="INVALID_CROSS_REFERENCE_KEY"),
    Meaning(NotFound, "there is no such record", code="MALFORMED_ID"),
    # Concurrent changes.
    Meaning(PreconditionFailed, "the record has changed since it was read", code="BATCH_PROCESSING_HALTED"),
    # Our permissions or the profile.
    Meaning(_REFUSED, "the org's edition has no API access", code="API_DISABLED_FOR_ORG", ours=True),
    Meaning(_REFUSED, "our user lacks a permission on the object", code="INSUFFICIENT_ACCESS", ours=True),
    Meaning(_REFUSED, "our user may not edit the record", code="INSUFFICIENT_ACCESS_OR_READONLY", ours=True),
    Meaning(
        _REFUSED,
        "our user may not see a related record",
        code="INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
        ours=True,
    ),
    Meaning(_REFUSED, "our user may not do this", code="FORBIDDEN", ours=True),
    Meaning(
        _REFUSED,
        "a field of the profile is missing in the org or hidden from our user",
        code="INVALID_FIELD",
        ours=True,
    ),
    Meaning(
        _REFUSED, "an object is missing in the org or hidden from our user", code="INVALID_TYPE", ours=True
    ),
    Meaning(_REFUSED, "our user may not edit a field", code="INVALID_FIELD_FOR_INSERT_UPDATE", ours=True),
    # The record itself, which a person must correct in the CRM.
    Meaning(_REFUSED, "the org demands a field that is empty", code="REQUIRED_FIELD_MISSING"),
    Meaning(
        _REFUSED,
        "a validation rule of the org refused the save",
        code="FIELD_CUSTOM_VALIDATION_EXCEPTION",
        quotes=True,
    ),
    Meaning(_REFUSED, "a field's value does not fit another's", code="FIELD_INTEGRITY_EXCEPTION"),
    Meaning(_REFUSED, "a picklist does not have the value", code="INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"),
    Meaning(_REFUSED, "a text is too long for its field", code="STRING_TOO_LONG"),
    Meaning(_REFUSED, "a number is outside its field's range", code="NUMBER_OUTSIDE_VALID_RANGE"),
    Meaning(_REFUSED, "the currency is not active in the org", code="INVALID_CURRENCY_ISO"),
    Meaning(_REFUSED, "the record's owner is inactive", code="INACTIVE_OWNER_OR_USER"),
    Meaning(_REFUSED, "the record is locked, probably by an approval", code="ENTITY_IS_LOCKED"),
    Meaning(
        _REFUSED, "an automation of the org failed on the save", code="CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    ),
    Meaning(_REFUSED, "an automation of the org failed", code="APEX_ERROR"),
    Meaning(
        _REFUSED, "another record has the same unique value", code="DUPLICATE_VALUE", fault=ALREADY_EXISTS
    ),
    Meaning(_REFUSED, "a duplicate rule of the org refused the save", code="DUPLICATES_DETECTED"),
    # Ours.
    Meaning(ContractViolation, "the org does not understand our query", code="MALFORMED_QUERY"),
    Meaning(ContractViolation, "the org does not understand our request", code="JSON_PARSER_ERROR"),
    Meaning(ContractViolation, "the org does not accept this method here", code="METHOD_NOT_ALLOWED"),
    Meaning(
        _REFUSED, "the org has retired the profile's api_version", code="UNSUPPORTED_API_VERSION", ours=True
    ),
    # Edge servers that cannot route to the org yet answer so, without a code.
    Meaning(ContractViolation, "the org has several such records", 300),
    Meaning(_BUSY, "the org cannot be reached at the moment", 406),
    Meaning(_REFUSED, "the org has retired the profile's api_version", 410, ours=True),
    Meaning(PreconditionFailed, "the record has changed since it was read", 412),
    Meaning(_BUSY, "the org cannot be reached at the moment", 420),
)
_UNKNOWN = Meaning(_REFUSED, "the org refused the request")
_UNKNOWN_BUSY = Meaning(_BUSY, "the org refuses the request at the moment", wait=_LOGIN_AGAIN)
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,79}")


def read_error(answer: VendorAnswer) -> Problem | None:
    """What an error answer means; None: judge it by its status alone."""
    return _problem(answer.try_json(list[ApiError]) or [], Origin.of(answer))


def read_success(answer: VendorAnswer) -> Problem | None:
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
    return _problem(_errors(part), Origin.of(answer, part.http_status_code)) or answer.violation(
        "a part of a composite call failed without a code"
    )


def _errors(part: SubAnswer) -> list[ApiError]:
    try:
        return msgspec.convert(part.body, list[ApiError])
    except msgspec.ValidationError:
        return []


def _problem(errors: list[ApiError], origin: Origin) -> Problem | None:
    """The first error's meaning, with the fields that it names."""
    first = errors[0] if errors else ApiError()
    code = first.code if _CODE.fullmatch(first.code) else ""
    refusal = Refusal(first.code, first.message, first.fields or ())
    unknown = _UNKNOWN_BUSY if says_transient(f"{code} {first.message}") else _UNKNOWN
    meaning = meaning_of(MEANINGS, origin.status, refusal) or (unknown if code else None)
    if meaning is None:
        return None
    faults = faults_of(refusal, meaning.sentence, meaning.fault or first.code)
    return problem_of(origin, meaning, faults, context=code, text=first.message)


_USAGE = re.compile(r"(?:^|[;\s])api-usage=([0-9]{1,18})/([0-9]{1,18})(?![0-9])")


def usage(answer: VendorAnswer) -> tuple[int, int] | None:
    """The org's count of calls in 24 hours and its maximum: `Sforce-Limit-Info: api-usage=18/15000`."""
    usage = _USAGE.search(answer.headers.get("Sforce-Limit-Info", ""))
    return (int(usage[1]), int(usage[2])) if usage else None
