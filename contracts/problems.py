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
├── VendorFault ── ContractViolation 502, VendorRejected 409, VendorUnavailable 503, VendorDoubtful 503
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
    same request may be sent again, `actor` who must act, `retry_after` after how many seconds to retry.
    What a vendor caused has its `instance`, and the vendor's request id where there was an answer.
    """

    status: ClassVar[int] = 500
    code: ClassVar[str] = "unexpected"
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False
    actor: ClassVar[Actor] = "operator"

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


class BadRequest(Refused):
    status = 400
    code = "bad_request"
    title = "Bad request"


class BadJson(BadRequest):
    code = "bad_json"
    title = "The body is not JSON"


class DuplicateKeys(BadRequest):
    code = "duplicate_keys"
    title = "An object of the body names a key twice"


class TooDeep(BadRequest):
    code = "too_deep"
    title = "The body is nested too deeply"


class MissingHeader(BadRequest):
    code = "missing_header"
    title = "A required header is missing"


class Unauthenticated(Refused):
    """No credential at all: a bare challenge (RFC 6750 §3)."""

    status = 401
    code = "unauthenticated"
    title = "Authentication required"


class InvalidToken(Unauthenticated):
    code = "invalid_token"
    title = "The token is not accepted"


class InvalidProof(InvalidToken):
    """The proof that the sender holds the token's key is missing or wrong (RFC 9449)."""

    code = "invalid_dpop_proof"
    title = "The DPoP proof is not accepted"


class NonceNeeded(InvalidToken):
    """The proof lacks the nonce of this answer's DPoP-Nonce header (RFC 9449 §9)."""

    code = "use_dpop_nonce"
    title = "DPoP nonce required"
    retryable = True


class Forbidden(Refused):
    status = 403
    code = "forbidden"
    title = "Forbidden"
    actor = "administrator"


class InsufficientScope(Forbidden):
    code = "insufficient_scope"
    title = "The token lacks a scope that this operation needs"


class AudienceForbidden(Forbidden):
    code = "audience_forbidden"
    title = "This consumer may not reach this tier"


class RoleRequired(Forbidden):
    code = "role_required"
    title = "The operation requires another role"


class SegregationOfDuties(Forbidden):
    """Another person must do it: no change of the request or of the object's state is sufficient."""

    code = "segregation_of_duties"
    title = "One person may not do both"


class NotSubscribed(Forbidden):
    """The consumer has no subscription to this API: request one, on a plan that suits it."""

    code = "not_subscribed"
    title = "This consumer has not subscribed to the API"


class ConsumerSuspended(Forbidden):
    code = "consumer_suspended"
    title = "This consumer is suspended"


class NotFound(Refused):
    status = 404
    code = "not_found"
    title = "Not found"


class UnknownRoute(NotFound):
    code = "unknown_route"
    title = "No API at this path"


class MethodNotAllowed(Refused):
    status = 405
    code = "method_not_allowed"
    title = "Method not allowed"


class Conflict(Refused):
    status = 409
    code = "conflict"
    title = "The request conflicts with the current state"


class StillRunning(Conflict):
    code = "still_running"
    title = "The first request with this key is still running"
    retryable = True


class AlreadyDecided(Conflict):
    code = "already_decided"
    title = "Already decided"


class TooManyKeys(Conflict):
    code = "too_many_keys"
    title = "The consumer has the maximum number of valid keys"
    actor = "administrator"


class OwnershipViolation(Conflict):
    code = "ownership_violation"
    title = "Another system owns this field at this stage"


class Gone(Refused):
    status = 410
    code = "gone"
    title = "This version was retired"


class PreconditionFailed(Refused):
    status = 412
    code = "stale_version"
    title = "The object has changed since it was read"


class BodyTooLarge(Refused):
    status = 413
    code = "body_too_large"
    title = "The body is too large"


class UriTooLong(Refused):
    status = 414
    code = "uri_too_long"
    title = "URI too long"


class UnsupportedMediaType(Refused):
    status = 415
    code = "unsupported_media_type"
    title = "The body's content type is not supported"


class Invalid(Refused):
    status = 422
    code = "invalid"
    title = "The request violates the contract"


class IdempotencyKeyReused(Invalid):
    code = "idempotency_key_reused"
    title = "The Idempotency-Key was used before with another request"


def unusable_cursor(detail: str) -> Invalid:
    """The refusal of a cursor that cannot continue the list to which it was sent."""
    fault = Fault("/query/cursor", detail, "cursor", field="cursor")
    return Invalid("This cursor does not continue this list: begin again without it.", errors=(fault,))


class PreconditionRequired(Refused):
    status = 428
    code = "precondition_required"
    title = "If-Match header required"


class TooManyRequests(Refused):
    status = 429
    code = "too_many_requests"
    title = "Too many requests"
    retryable = True


class QuotaExceeded(TooManyRequests):
    """The month's calls are used up; Retry-After is the time until the next month."""

    code = "quota_exceeded"
    title = "Monthly quota exceeded"


class HeadersTooLarge(Refused):
    status = 431
    code = "headers_too_large"
    title = "The headers are too large"


class Failed(Problem):
    """The request was valid; its execution failed."""


class Unexpected(Failed):
    """An internal fault; the log has it under the correlation id."""


class VendorFault(Failed):
    """A vendor's fault, with the instance and the vendor's request id, never the vendor's body."""


class ContractViolation(VendorFault):
    status = 502
    code = "contract_violation"
    title = "A vendor's answer violates its schema"


class VendorRejected(VendorFault):
    """The vendor refused the request: a person must correct the record or the account."""

    status = 409
    code = "vendor_rejected"
    title = "A vendor refused the request"


class VendorUnavailable(VendorFault):
    """The request certainly had no effect: the vendor is down, throttles, or its allowance is used up.

    A 5xx answer to a call with an effect leaves the outcome unknown, unless the adapter says `nothing_done`.
    """

    status = 503
    code = "vendor_unavailable"
    title = "A vendor is not available"
    retryable = True

    def __init__(self, detail: str = "", *, nothing_done: bool = False, **more: Any) -> None:
        super().__init__(detail, **more)
        self.nothing_done = nothing_done


class VendorDoubtful(VendorUnavailable):
    """The request may have had an effect (timeout, reset): look it up before sending it again."""

    code = "vendor_doubtful"
    title = "A vendor did not answer; the outcome is unknown"


class Unavailable(Failed):
    status = 503
    code = "unavailable"
    title = "Temporarily unavailable"
    retryable = True


class Overloaded(Unavailable):
    """The process has more calls than it can answer: calls of lower lanes are refused first."""

    code = "overloaded"
    title = "Overloaded"


class DeadlineExceeded(Failed):
    status = 504
    code = "deadline_exceeded"
    title = "Deadline exceeded"
    retryable = True


class NotCached(Failed):
    """The request accepts only a cached answer (only-if-cached), and no cached answer is fresh enough."""

    status = 504
    code = "not_cached"
    title = "No cached answer is fresh enough"
    retryable = True
    actor = "caller"


def catalogue() -> dict[str, type[Problem]]:
    """Every problem by its code."""
    kinds: dict[str, type[Problem]] = {}
    waiting = [Problem]
    while waiting:
        kind = waiting.pop()
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
