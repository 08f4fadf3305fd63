"""Idempotency key: a repeated request with the same key runs once and gets the same answer."""

import asyncio
import hashlib
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.problems import IdempotencyKeyReused, Problem, StillRunning
from gateway.exchange import Asked, Exchange, Header, PipelineStep, Reply, Route, Rule
from kit import idempotency
from kit.database import Database
from kit.telemetry import log

_SERVER_ERROR = 500
_STORED_HEADERS = frozenset({b"content-type", b"etag", b"location"})
_log = log(__name__)


class IdempotencyKeySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long an answer is stored for repetitions of its request."""

    ttl_seconds: Annotated[int, Meta(ge=60)] = 86_400


class IdempotencyKey:
    """Reserves the key in PostgreSQL before the hop and settles it with the answer after.

    Refusals before the hop never reserve a key. A server error releases it, so that the caller may retry:
    the tiers start nothing twice under the same key.
    """

    def __init__(self, settings: IdempotencyKeySettings, database: Database | None) -> None:
        self._settings = settings
        self._database = database
        self.life: idempotency.Life | None = None

    def inherit(self, old: "IdempotencyKey") -> None:
        """Continue with the identity under which this process has reserved keys so far."""
        self.life = old.life

    def _life(self, database: Database) -> idempotency.Life:
        if self.life is None:
            self.life = idempotency.Life(database)
        return self.life

    def wrap(self, route: Route | None, call_next: PipelineStep) -> PipelineStep:
        database = self._database
        if (
            database is None
            or route is None
            or route.operation is None
            or route.operation.idempotency != "key"
        ):
            return call_next
        operation = f"{route.name}@{route.instance}" if route.instance else route.name
        ttl = self._settings.ttl_seconds

        async def idempotency_key(exchange: Exchange) -> Reply:
            consumer = exchange.caller.principal if exchange.caller else ""
            place = {"consumer": consumer, "operation": operation, "key": exchange.idempotency_key}
            outcome = await idempotency.reserve(
                database,
                life=self._life(database),
                consumer=consumer,
                operation=operation,
                key=exchange.idempotency_key,
                fingerprint=_fingerprint(exchange),
                ttl=ttl,
            )
            match outcome:
                case idempotency.Replay():
                    return _replay(outcome)
                case idempotency.Running():
                    raise StillRunning(retry_after=1)
                case idempotency.Reused():
                    raise IdempotencyKeyReused
            return await _settled(database, {**place, "holder": outcome.holder}, exchange, call_next)

        return idempotency_key

    def explain(self, asked: Asked) -> list[Rule]:
        if asked.route.operation is None or asked.route.operation.idempotency != "key":
            return []
        says = f"an Idempotency-Key; its answer is stored for {self._settings.ttl_seconds} s"
        return [Rule(says, "idempotency_key.ttl_seconds")]


async def _settled(
    database: Database, place: dict[str, str], exchange: Exchange, call_next: PipelineStep
) -> Reply:
    try:
        reply = await call_next(exchange)
    except BaseException:
        await asyncio.shield(_release(database, place))
        raise
    if reply.status >= _SERVER_ERROR:
        await _release(database, place)
        return reply
    headers = {
        name.decode(): value.decode("latin-1") for name, value in reply.headers if name in _STORED_HEADERS
    }
    try:
        await idempotency.settle(database, **place, status=reply.status, headers=headers, body=reply.body)
    except Problem:
        # The answer is valid without it; only a repetition will have to call the tier again.
        _log.warning("answer not stored", correlation_id=exchange.correlation_id)
    return reply


async def _release(database: Database, place: dict[str, str]) -> None:
    try:
        await idempotency.release(database, **place)
    except Problem:
        _log.warning("idempotency key not released")


def _fingerprint(exchange: Exchange) -> str:
    """A hash of the address and the body, independent of the layout of its JSON."""
    body = msgspec.json.encode(exchange.payload, order="sorted")
    return hashlib.sha256(exchange.raw_path + b"?" + exchange.query + b"\n" + body).hexdigest()


def _replay(replay: idempotency.Replay) -> Reply:
    headers: list[Header] = [
        (name.encode(), value.encode("latin-1")) for name, value in replay.headers.items()
    ]
    return Reply(replay.status, [*headers, (b"idempotency-replayed", b"?1")], bytes(replay.body))
