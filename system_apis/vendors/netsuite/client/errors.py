"""system_apis: NetSuite's refusals in our taxonomy, in one table."""

import re

from contracts.canonical.exception import OPERATIONS
from contracts.problems import Fault, NotFound, Problem, VendorRejected, VendorUnavailable
from kit.http import VendorAnswer
from system_apis.connector.errors import (
    ALREADY_EXISTS,
    Meaning,
    Origin,
    Refusal,
    meaning_of,
    problem_of,
    quoted,
)
from system_apis.vendors.netsuite.records import NetSuiteError, NetSuiteErrorDetail

_BUSY, _REFUSED = VendorUnavailable, VendorRejected
_FIXED_BY = {"rule": "finance", "value": "finance", ALREADY_EXISTS: "finance"}

# NetSuite's statuses mislead: an unknown transaction is a 400, and a table that the role may not read is
# reported as a faulty query.
MEANINGS = (
    # First, by their codes alone: their statuses vary.
    Meaning(_BUSY, "the record was changed at the same time", 0, "RCRD_HAS_BEEN_CHANGED"),
    Meaning(_BUSY, "too many calls at once", 0, "SSS_REQUEST_LIMIT_EXCEEDED"),
    Meaning(_BUSY, "too many calls at once", 0, "CONCURRENCY_LIMIT_EXCEEDED"),
    Meaning(_BUSY, "the record was changed at the same time", 400, "USER_ERROR", "record has been changed"),
    Meaning(
        NotFound, "there is no such record", 400, "USER_ERROR", "Transaction type specified is incorrect"
    ),
    Meaning(_REFUSED, "the record exists already", 400, "USER_ERROR", "already exists", ALREADY_EXISTS),
    Meaning(
        _REFUSED,
        "a mandatory field has no value",
        400,
        "USER_ERROR",
        "Please enter value",
        "required",
        ours=True,
    ),
    Meaning(_REFUSED, "a rule of the account forbids it", 400, "USER_ERROR", fault="rule", quotes=True),
    Meaning(_REFUSED, "a value is not accepted", 400, "INVALID_CONTENT", fault="value", quotes=True),
    Meaning(
        _REFUSED,
        "the role may not query it",
        400,
        "INVALID_PARAMETER",
        "was not found",
        "permission",
        ours=True,
    ),
    Meaning(_REFUSED, "the request is not understood", 400, fault="request"),
    Meaning(_REFUSED, "our login is refused", 401, fault="login", ours=True),
    Meaning(_REFUSED, "our role lacks a permission", 403, fault="permission", ours=True),
    Meaning(_REFUSED, "the record type is off or hidden", 404, "", "Record type", "permission", ours=True),
    Meaning(NotFound, "there is no such record", 404),
    Meaning(_BUSY, "too many calls at once", 429),
)


def read_error(answer: VendorAnswer) -> Problem | None:
    """The problem of a refusal; None where only the status is known (a gateway's page, for example)."""
    error = answer.try_json(NetSuiteError)
    details = error.details if error and error.details else (NetSuiteErrorDetail(),)
    meaning = meaning_of(MEANINGS, answer.status, Refusal(details[0].code, details[0].detail))
    if meaning is None:
        return None
    faults = [fault for detail in details for fault in _faults(meaning, detail)] if meaning.fault else []
    return problem_of(Origin.of(answer), meaning, faults, text=details[0].detail)


def _faults(meaning: Meaning, detail: NetSuiteErrorDetail) -> list[Fault]:
    """The faults in the vendor's own words, which its administrators know."""
    labels = re.search(r"Please enter value\(s\) for: (.+?)\.?$", detail.detail)
    if labels:
        return [
            Fault("", f"NetSuite needs a value for {label}", "required", field=label, fixed_by=OPERATIONS)
            for label in labels[1].split(", ")
        ]
    pointer = "/" + re.sub(r"[.\[\]]+", "/", detail.path).strip("/") if detail.path else ""
    sentence = f"NetSuite says: {quoted(detail.detail)}" if quoted(detail.detail) else meaning.sentence
    fixed_by = _FIXED_BY.get(meaning.fault, OPERATIONS)
    return [Fault(pointer, sentence, meaning.fault, field=detail.path, fixed_by=fixed_by)]
