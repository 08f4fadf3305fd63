"""Who calls, for which business transaction, until when: one context variable, set at the gateway."""

import hashlib
import random
import time
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any, Literal

import msgspec

from contracts.problems import DeadlineExceeded
from contracts.rows import DIMENSIONS, names_of

HEADER = "Correlation-Id"
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no letter looks like a digit
_PAIRS = [one + two for one in _ALPHABET for two in _ALPHABET]  # ten bits at a time
_SHIFTS = tuple(range(120, -1, -10))
_encode_sorted = msgspec.json.Encoder(order="sorted").encode


def unordered(claim: Any) -> Any:
    """The value of a claim with its lists sorted: issuers keep to no order, and none means anything."""
    if isinstance(claim, dict):
        return {name: unordered(value) for name, value in claim.items()}
    if isinstance(claim, list | tuple):
        return sorted(map(unordered, claim), key=_encode_sorted)
    return claim


class Caller(msgspec.Struct, frozen=True):
    """The identity behind a request, as the gateway established it."""

    subject: str
    consumer: str
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    claims: dict[str, Any] = {}
    outside: bool = False

    @property
    def principal(self) -> str:
        """The principal of a request: the consumer, and a digest of the person and of the person's claims."""
        bound = [unordered(names_of(self.claims, name)) for name in DIMENSIONS.values()]
        whole = msgspec.json.encode([self.subject, bound])
        return f"{self.consumer} {hashlib.sha256(whole).hexdigest()[:32]}"


class Context(msgspec.Struct, frozen=True):
    """What travels with a piece of work.

    `deadline` is an instant of ``time.monotonic()`` in seconds. `actor` names the person or machine on whose
    behalf a durable step works, after the request that began it has gone. `via` are the services of ours that
    the request came through, the nearest first.
    """

    correlation_id: str
    caller: Caller | None = None
    actor: str = ""
    traceparent: str = ""
    tracestate: str = ""
    deadline: float | None = None
    idempotency_key: str = ""
    lane: Literal["interactive", "batch"] = "interactive"
    workflow_id: str = ""
    step: str = ""
    via: tuple[str, ...] = ()

    @property
    def who(self) -> str:
        """The person or machine that answers for the work."""
        return self.caller.subject if self.caller else self.actor


_current: ContextVar[Context | None] = ContextVar("enfilade_context", default=None)


def new_id(prefix: str) -> str:
    """A new id: prefix, underscore, 26 characters that sort by time of making."""
    number = (time.time_ns() // 1_000_000) << 80 | random.getrandbits(80)
    return prefix + "_" + "".join([_PAIRS[number >> shift & 1023] for shift in _SHIFTS])


def new_correlation_id() -> str:
    """A new id for one business transaction."""
    return new_id("cor")


def current() -> Context:
    """The context of the running work; a fresh anonymous one where no gateway made any."""
    return _current.get() or Context(correlation_id=new_correlation_id())


class _Use:
    """A class, not a generator: every request enters one."""

    __slots__ = ("_context", "_token")

    def __init__(self, context: Context) -> None:
        self._context = context

    def __enter__(self) -> Context:
        self._token = _current.set(self._context)
        return self._context

    def __exit__(self, *_: object) -> None:
        _current.reset(self._token)


def use(context: Context) -> AbstractContextManager[Context]:
    """Work under a context for the length of the block."""
    return _Use(context)


def remaining() -> float | None:
    """Seconds until the deadline, None without one; raises DeadlineExceeded when it has passed."""
    context = _current.get()
    if context is None or context.deadline is None:
        return None
    left = context.deadline - time.monotonic()
    if left <= 0:
        raise DeadlineExceeded
    return left


def within(seconds: float) -> AbstractContextManager[Context]:
    """Work that has at most some seconds, and never more than its caller has."""
    here = current()
    until = time.monotonic() + seconds
    deadline = until if here.deadline is None else min(until, here.deadline)
    return use(msgspec.structs.replace(here, deadline=deadline))
