"""system_apis: Kantata OX's refusals in our taxonomy, in one table. It has no error codes, only statuses."""

from collections.abc import Callable

from contracts.problems import (
    ContractViolation,
    Fault,
    NotFound,
    Problem,
    VendorRejected,
    VendorUnavailable,
)
from kit.http import VendorAnswer
from system_apis.connector.errors import (
    ALREADY_EXISTS,
    Meaning,
    Origin,
    Refusal,
    faults_of,
    meaning_of,
    problem_of,
)
from system_apis.vendors.kantata.records import ErrorItem, Errors

_BUSY, _REFUSED = VendorUnavailable, VendorRejected
MEANINGS = (
    Meaning(ContractViolation, "the account does not understand our request", 400),
    Meaning(
        _REFUSED,
        "our access token was revoked: an administrator must authorise us again",
        401,
        ours=True,
    ),
    Meaning(_REFUSED, "our user lacks the permission", 403, ours=True),
    Meaning(NotFound, "there is no such record, or it is hidden from our user", 404),
    Meaning(_REFUSED, "the record's state does not allow this", 409),
    Meaning(_REFUSED, "the account refused the record", 422, quotes=True),
    Meaning(_BUSY, "too many calls at a time", 429),
    Meaning(_BUSY, "the account failed inside", 500),
    Meaning(_BUSY, "the vendor's edge cannot reach the account", 502),
    Meaning(_BUSY, "the account is under maintenance", 503),
    Meaning(_BUSY, "the vendor cut the request off; it may be done", 504),
)
# The known sentences of validations.
_VALIDATIONS = (
    Meaning(_REFUSED, "another record has the same value", text="been (entered|taken)", fault=ALREADY_EXISTS),
    Meaning(_REFUSED, "is needed", text="can'?t be blank|please give|required", fault="required"),
    Meaning(_REFUSED, "is too long", text="too long|maximum", fault="too_long"),
    Meaning(
        _REFUSED,
        "must be a whole number",
        text="not a number|must be (an|a) (integer|number)",
        fault="not_a_number",
    ),
    Meaning(
        _REFUSED, "is not valid there", text="does not exist|not found|invalid|not valid", fault="invalid"
    ),
    Meaning(_REFUSED, "was refused", fault="refused"),
)
_TOO_MANY = 429


def reader(throttled_seconds: float) -> Callable[[VendorAnswer], Problem | None]:
    """Reads error answers; 429 comes without Retry-After, so the profile sets the delay."""

    def read_error(answer: VendorAnswer) -> Problem | None:
        meaning = meaning_of(MEANINGS, answer.status, Refusal())
        if meaning is None:
            return None  # decided by its status alone
        refusals = answer.try_json(Errors)
        items = refusals.errors if refusals else ()
        validations = [item for item in items if item.type == "validation"]
        faults = [fault for item in validations for fault in _faults(item)]
        if answer.status == _TOO_MANY:
            meaning = meaning._replace(wait=throttled_seconds)
        words = "; ".join(f"{fault.field} {fault.detail}".strip() for fault in faults)
        said = " ".join(item.message for item in validations)
        return problem_of(Origin.of(answer), meaning, faults, context=words, text=said)

    return read_error


def _faults(item: ErrorItem) -> list[Fault]:
    refusal = Refusal(text=item.message, fields=(item.field or "",))
    meaning = meaning_of(_VALIDATIONS, 0, refusal) or _VALIDATIONS[-1]
    unnamed = Fault("/", meaning.sentence, meaning.fault)
    return faults_of(refusal, meaning.sentence, meaning.fault) or [unnamed]
