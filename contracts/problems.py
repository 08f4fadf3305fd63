"""The error tree: every failure that the deployment can answer with, grouped by what the caller can do next.

Problem
├── Refused (4xx: the caller must change something)
│   ├── BadRequest 400 ── DuplicateKeys, TooDeep, MissingHeader, BadJson
│   ├── Unauthenticated 401 ── InvalidToken ── InvalidProof, NonceNeeded
│   ├── Forbidden 403 ── InsufficientScope, AudienceForbidden, RoleRequired, SegregationOfDuties,
│   │                     NotSubscribed, ConsumerSuspended
│   ├── NotFound 404 ── UnknownRoute
│   ├── MethodNotAllowed 405
│   ├── Conflict 409 ── StillRunning, AlreadyDecided, OwnershipViolation, TooManyKeys
│   ├── Gone 410
│   ├── PreconditionFailed 412, PreconditionRequired 428
│   ├── BodyTooLarge 413, UriTooLong 414, UnsupportedMediaType 415, HeadersTooLarge 431
│   ├── Invalid 422 ── IdempotencyKeyReused
│   └── TooManyRequests 429 ── QuotaExceeded
└── Failed (5xx: the caller may retry, or another person must act)
├── Unexpected 500
├── VendorFault ── ContractViolation 502, VendorRejected 409, VendorUnavailable 503 ──
│                  VendorDoubtful 503 ── VendorPending 503
├── Unavailable 503 (the deployment's own database or cache) ── Overloaded
└── DeadlineExceeded 504, NotCached 504

What only one flow answers stands beside its contract: ActivationBlocked (a Conflict) in
contracts/process/opportunity_to_project.py.
"""

from typing import Any, ClassVar, Literal

import msgspec

Actor = Literal["caller", "operator", "administrator", "finance", "sales", "delivery", "nobody"]


class Fault(msgspec.Struct, frozen=True, omit_defaults=True):
    """One fault of a request or a record: where it is, what is wrong, and who can fix it."""

    pointer: str
    detail: str
    code: str = ""
    field: str = ""
    fixed_by: str = ""


class Problem(Exception):  # noqa: N818 - RFC 9457's word
    """A failure that is answered as a problem document (RFC 9457).

    `status` is the HTTP status, `code` the stable name that clients may switch on, `retryable` whether the
    same request may be sent again, `actor` who must act, `next_step` what to do next, `retry_after` after how
    many seconds to retry. The first paragraph of a docstring is the meaning that the API catalogue shows.
    What a vendor caused has its `instance`, and the vendor's request id where there was an answer.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "unexpected"
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False
    actor: ClassVar[Actor] = "operator"
    next_step: ClassVar[str] = ""

    def __init__(
        self,
        detail: str = "",
        *,
        errors: tuple[Fault, ...] | list[Fault] = (),
        retry_after: float | None = None,
        extra: dict[str, Any] | None = None,
        headers: dict[str, str] | None = None,
        instance: str = "",
        vendor_request_id: str = "",
    ) -> None:
        super().__init__(detail)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.retry_after = retry_after
        self.extra = extra or {}
        self.headers = headers or {}
        self.instance = instance
        self.vendor_request_id = vendor_request_id
        if instance:
            self.extra["instance"] = instance
        if vendor_request_id:
            self.extra["vendor_request_id"] = vendor_request_id


class Refused(Problem):
    """The caller must change something before it retries."""

    actor = "caller"


REALM = "enfilade"
"""The protection space that every challenge names (RFC 9110 §11.5)."""

# Of a quoted parameter, RFC 6750 §3 allows neither these two nor anything but ASCII.
_NOT_QUOTED = {ord('"'): "'", ord("\\"): "/"}


def challenge(scheme: str, **parameters: str) -> str:
    """One challenge of `WWW-Authenticate` (RFC 9110 §11.6.1): the realm, then the parameters as given."""
    named = {"realm": REALM, **parameters}
    quoted = (f'{name}="{_quotable(value)}"' for name, value in named.items())
    return f"{scheme} {', '.join(quoted)}"


def _quotable(value: str) -> str:
    text = value.translate(_NOT_QUOTED)
    return "".join(each if " " <= each <= "~" else "?" for each in text)


class BadRequest(Refused):
    """The request is malformed as HTTP, or in a header or the query."""

    status = 400
    code = "bad_request"
    title = "Bad request"
    next_step = "Correct what the detail names."


class BadJson(BadRequest):
    """The body cannot be parsed as JSON (RFC 8259)."""

    code = "bad_json"
    title = "The body is not JSON"
    next_step = "Send valid JSON in UTF-8."


class DuplicateKeys(BadRequest):
    """JSON readers differ in which of two equal keys counts, so such a body is refused."""

    code = "duplicate_keys"
    title = "An object of the body names a key twice"
    next_step = "Name each key once."


class TooDeep(BadRequest):
    """The body has more levels of objects and arrays than are read."""

    code = "too_deep"
    title = "The body is nested too deeply"
    next_step = "Send a flatter body, as the document describes it."


class MissingHeader(BadRequest):
    """The operation needs a header that the request lacks, such as Idempotency-Key."""

    code = "missing_header"
    title = "A required header is missing"
    next_step = "Add the header that the detail names."


class Unauthenticated(Refused):
    """No credential at all: a bare challenge (RFC 6750 §3)."""

    status = 401
    code = "unauthenticated"
    title = "Authentication required"
    next_step = "Send an access token as Authorization: Bearer, or an API key."


class InvalidToken(Unauthenticated):
    """The token is malformed, expired, revoked, for another audience, or of an issuer that is not trusted."""

    code = "invalid_token"
    title = "The token is not accepted"
    next_step = "Obtain a new token from the issuer, and send it once."


class InvalidProof(InvalidToken):
    """The proof that the sender holds the token's key is missing or wrong (RFC 9449)."""

    code = "invalid_dpop_proof"
    title = "The DPoP proof is not accepted"
    next_step = "Make a new proof for this request with the key of the token."


class NonceNeeded(InvalidToken):
    """The proof lacks the nonce of this answer's DPoP-Nonce header (RFC 9449 §9)."""

    code = "use_dpop_nonce"
    title = "DPoP nonce required"
    retryable = True
    next_step = "Put the nonce of the DPoP-Nonce header into a new proof, and send the request again."


class Forbidden(Refused):
    """The caller is known, and may not do this, or not with this instance or row."""

    status = 403
    code = "forbidden"
    title = "Forbidden"
    actor = "administrator"
    next_step = "Ask an administrator for the access, or use another account."


class InsufficientScope(Forbidden):
    """The challenge (WWW-Authenticate) names the scope that is needed."""

    code = "insufficient_scope"
    title = "The token lacks a scope that this operation needs"
    next_step = "Ask for a token with that scope; where it is not granted, ask an administrator."


class AudienceForbidden(Forbidden):
    """A consumer from outside the firm calls an API that is not open to such consumers."""

    code = "audience_forbidden"
    title = "This consumer may not call this API"
    next_step = (
        "Call an API that the catalogue shows as open to partners or clients, or ask an administrator."
    )


class RoleRequired(Forbidden):
    """The person or consumer lacks the role that the operation needs."""

    code = "role_required"
    title = "The operation requires another role"
    next_step = "Let somebody with the role do it, or ask an administrator for the role."


class SegregationOfDuties(Forbidden):
    """Another person must do it: no change of the request or of the object's state is sufficient."""

    code = "segregation_of_duties"
    title = "One person may not do both"
    next_step = "Let another person do it."


class NotSubscribed(Forbidden):
    """The consumer has no subscription to this API: request one, on a plan that suits it."""

    code = "not_subscribed"
    title = "This consumer has not subscribed to the API"
    next_step = (
        "Request a subscription to this API (enfilade subscriptions request), and wait for its approval."
    )


class ConsumerSuspended(Forbidden):
    """An administrator has suspended the consumer: all its calls are refused."""

    code = "consumer_suspended"
    title = "This consumer is suspended"
    next_step = "Ask an administrator why, and to resume it."


class NotFound(Refused):
    """There is no such object, or it is not one that the caller may see."""

    status = 404
    code = "not_found"
    title = "Not found"
    next_step = "Check the id and the instance; list the objects to see those that there are."


class UnknownRoute(NotFound):
    """No operation has this path in any version that is served."""

    code = "unknown_route"
    title = "No API at this path"
    next_step = "Look the path up in the catalogue at /apis."


class MethodNotAllowed(Refused):
    """The path exists, with other methods: the Allow header names them."""

    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"
    next_step = "Use one of the methods that Allow names."


class Conflict(Refused):
    """The object is in a state that does not allow the operation."""

    status = 409
    code = "conflict"
    title = "The request conflicts with the current state"
    next_step = "Read the object again, and decide by its state."


class StillRunning(Conflict):
    """Only one request with an Idempotency-Key runs at a time."""

    code = "still_running"
    title = "The first request with this key is still running"
    retryable = True
    next_step = (
        "Send the same request again after Retry-After or some seconds: the answer will be that of the first."
    )


class AlreadyDecided(Conflict):
    """The case or request has its decision, which stays."""

    code = "already_decided"
    title = "Already decided"
    next_step = "Read it again to see who decided what."


class TooManyKeys(Conflict):
    """A consumer may have two valid API keys, so that one can replace the other."""

    code = "too_many_keys"
    title = "The consumer has the maximum number of valid keys"
    actor = "administrator"
    next_step = "Revoke one that is no longer used, then create the new one."


class OwnershipViolation(Conflict):
    """Each field is changed in the system that owns it at this stage."""

    code = "ownership_violation"
    title = "Another system owns this field at this stage"
    next_step = "Change the field in the system that the detail names."


class Gone(Refused):
    """This version of the API has passed its sunset date."""

    status = 410
    code = "gone"
    title = "This version was retired"
    next_step = "Move to the version that the Link header or the catalogue names as its successor."


class PreconditionFailed(Refused):
    """If-Match names another version than the present one: somebody else has changed the object."""

    status = 412
    code = "stale_version"
    title = "The object has changed since it was read"
    next_step = "Read the object again, apply the change to it, and send its new version."


class BodyTooLarge(Refused):
    """The body has more bytes than the operation accepts."""

    status = 413
    code = "body_too_large"
    title = "The body is too large"
    next_step = "Send less at a time."


class UriTooLong(Refused):
    """The path and query have more bytes than are accepted."""

    status = 414
    code = "uri_too_long"
    title = "URI too long"
    next_step = "Shorten the query."


class UnsupportedMediaType(Refused):
    """The operation takes another media type or encoding, as a rule application/json."""

    status = 415
    code = "unsupported_media_type"
    title = "The body's content type is not supported"
    next_step = "Set Content-Type to the type that the document names."


class Invalid(Refused):
    """The request differs from the OpenAPI document, or its values do not fit together: see `errors`."""

    status = 422
    code = "invalid"
    title = "The request violates the contract"
    next_step = "Correct each fault of `errors`; for a cursor, begin again without it."


class IdempotencyKeyReused(Invalid):
    """A key stands for one request: this one differs from the first with the key."""

    code = "idempotency_key_reused"
    title = "The Idempotency-Key was used before with another request"
    next_step = "Use a new key for a new effect, or send the first request unchanged."


def unusable_cursor(detail: str) -> Invalid:
    """The refusal of a cursor that cannot continue the list to which it was sent."""
    fault = Fault("/query/cursor", detail, "cursor", field="cursor")
    return Invalid("This cursor does not continue this list: begin again without it.", errors=(fault,))


class PreconditionRequired(Refused):
    """The operation changes an object that others change too, so it asks which version was read."""

    status = 428
    code = "precondition_required"
    title = "If-Match header required"
    next_step = "Read the object, and send its version as If-Match."


class TooManyRequests(Refused):
    """The caller has used up its rate; RateLimit and Retry-After say when there is more."""

    status = 429
    code = "too_many_requests"
    title = "Too many requests"
    retryable = True
    next_step = "Wait for Retry-After, then send the request again."


class QuotaExceeded(TooManyRequests):
    """The month's calls are used up; Retry-After is the time until the next month."""

    code = "quota_exceeded"
    title = "Monthly quota exceeded"
    next_step = "Wait for the next month, or request a subscription on a larger plan."


class HeadersTooLarge(Refused):
    """The headers have more bytes than are accepted, in one field or together."""

    status = 431
    code = "headers_too_large"
    title = "The headers are too large"
    next_step = "Send fewer or shorter headers."


class Failed(Problem):
    """The request was valid; its execution failed."""


class Unexpected(Failed):
    """An internal fault; the log has it under the correlation id."""

    code = "unexpected"
    next_step = "Report the correlation id to the operator, who looks it up in the log."


class VendorFault(Failed):
    """A vendor's fault, with the instance and the vendor's request id, never the vendor's body."""


class ContractViolation(VendorFault):
    """The vendor answered with something else than its documentation describes."""

    status = 502
    code = "contract_violation"
    title = "A vendor's answer violates its schema"
    next_step = "Let the operator check the instance, and ask the vendor by the request id."


class VendorRejected(VendorFault):
    """The vendor refused the request: a person must correct the record or the account."""

    status = 409
    code = "vendor_rejected"
    title = "A vendor refused the request"
    next_step = "Correct the record or the account as `errors` say, then send the request again."


class VendorUnavailable(VendorFault):
    """The request certainly had no effect: the vendor is down, throttles, or its allowance is used up.

    A 5xx answer to a call with an effect leaves the outcome unknown, unless the adapter says `nothing_done`.
    """

    status = 503
    code = "vendor_unavailable"
    title = "A vendor is not available"
    retryable = True
    next_step = "Wait for Retry-After, then send the request again; the operator can check the instance."

    def __init__(self, detail: str = "", *, nothing_done: bool = False, **more: Any) -> None:
        super().__init__(detail, **more)
        self.nothing_done = nothing_done


class VendorDoubtful(VendorUnavailable):
    """The request may have had an effect (timeout, reset): look it up before sending it again."""

    code = "vendor_doubtful"
    title = "A vendor did not answer; the outcome is unknown"
    next_step = "Send the same request again under the same key: what exists is looked up first."


class VendorPending(VendorDoubtful):
    """The vendor has accepted the request and says later what became of it: ask again, do not send again.

    `handle` is the vendor's name of the work, of a job for example.
    """

    code = "vendor_pending"
    title = "A vendor has not finished yet"
    next_step = "Wait for Retry-After, then send the same request again: it asks for the outcome."

    def __init__(self, detail: str = "", *, handle: str = "", **more: Any) -> None:
        super().__init__(detail, **more)
        if handle:
            self.extra["handle"] = handle


class Unavailable(Failed):
    """The database or the cache of the deployment does not answer, or refuses: `cause` names why.

    Those of the database are `database_disk_full`, `database_read_only`, `database_unreachable` and so on
    (`kit.database.refusals`).
    """

    status = 503
    code = "unavailable"
    title = "Temporarily unavailable"
    retryable = True
    next_step = "Wait for Retry-After, then send the request again."


class Overloaded(Unavailable):
    """The process has more calls than it can answer: calls of lower lanes are refused first."""

    code = "overloaded"
    title = "Overloaded"
    next_step = "Wait for Retry-After, then send the request again, less at a time."


class DeadlineExceeded(Failed):
    """The answer was not ready in time; what was begun may be done later."""

    status = 504
    code = "deadline_exceeded"
    title = "Deadline exceeded"
    retryable = True
    next_step = "Send the same request again under the same Idempotency-Key."


class NotCached(Failed):
    """The request accepts only a cached answer (only-if-cached), and no cached answer is fresh enough."""

    status = 504
    code = "not_cached"
    title = "No cached answer is fresh enough"
    retryable = True
    actor = "caller"
    next_step = "Send the request without only-if-cached."


def catalogue() -> dict[str, type[Problem]]:
    """Every problem by its code."""
    kinds: dict[str, type[Problem]] = {}
    waiting = Problem.__subclasses__()
    while waiting:
        kind = waiting.pop()
        if "code" in vars(kind):  # else a group of problems, or a kind that answers as its parent
            kinds.setdefault(kind.code, kind)
        waiting.extend(kind.__subclasses__())
    return kinds


class ProblemDocument(msgspec.Struct, frozen=True, omit_defaults=True):
    """The document that is answered (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str = ""
    correlation_id: str = ""
    retryable: bool = False
    actor: str = ""
    errors: tuple[Fault, ...] = ()
    vendor_request_id: str = ""
