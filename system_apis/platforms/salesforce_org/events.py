"""system_apis: Salesforce's Pub/Sub API over gRPC: topics, schemas and a subscription's raw answers."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from io import BytesIO
from typing import Any, NamedTuple

import fastavro
import grpc
import grpc.aio
import msgspec
from fastavro.schema import SchemaParseException

from contracts.problems import ContractViolation, Problem, VendorRejected, VendorUnavailable
from kit.secrets import literal
from system_apis.platforms.salesforce_org.auth import OrgIdentity, OrgSession
from system_apis.platforms.salesforce_org.connection import OrgConnection
from system_apis.platforms.salesforce_org.proto import pubsub_api_pb2 as wire
from system_apis.platforms.salesforce_org.proto import pubsub_api_pb2_grpc as stubs

_MOST = 100  # events that may be on their way at once; the vendor refuses more
_SILENCE = 330.0  # seconds; the vendor sends a keepalive every 270
_ANSWER = 30.0  # seconds for a single question
_REFUSED = (
    grpc.StatusCode.PERMISSION_DENIED,
    grpc.StatusCode.NOT_FOUND,
    grpc.StatusCode.INVALID_ARGUMENT,
    grpc.StatusCode.FAILED_PRECONDITION,
    grpc.StatusCode.UNIMPLEMENTED,
)


class ReplayIdRefused(Exception):  # noqa: N818 - the name of an event, not of an error
    """The position to resume from is no longer (or never was) in the stream."""


class Schema(NamedTuple):
    """An event's Avro schema: as received, and parsed."""

    raw: dict[str, Any]
    parsed: Any


class Events:
    """The event bus of one org. The channel is opened on first use, in the subscribing process."""

    def __init__(
        self, instance: str, session: OrgSession, connection: OrgConnection, environ: Mapping[str, str]
    ) -> None:
        self._instance = instance
        self._session = session
        self._address = literal(connection.events_address, environ)
        self._plaintext = connection.events_plaintext
        self._channel: grpc.aio.Channel | None = None
        self._schemas: dict[str, Schema] = {}

    async def close(self) -> None:
        if self._channel is not None:
            await self._channel.close()
            self._channel = None

    async def can_subscribe(self, topic: str) -> bool:
        """Whether our user may subscribe; raises VendorRejected where the org has no such topic."""
        info = await self._ask("GetTopic", wire.TopicRequest(topic_name=topic))
        return bool(info.can_subscribe)

    async def decode(self, event: wire.ProducerEvent) -> tuple[dict[str, Any], dict[str, Any]]:
        """An event's payload, and the schema of its bitmaps."""
        schema = await self._schema(event.schema_id)
        try:
            payload: Any = fastavro.schemaless_reader(BytesIO(event.payload), schema.parsed, None)
        except (EOFError, LookupError, TypeError, ValueError, ArithmeticError) as error:
            raise self._violation(f"an event does not match its schema ({type(error).__name__})") from None
        if not isinstance(payload, dict):
            raise self._violation("an event is no record")
        return payload, schema.raw

    @asynccontextmanager
    async def subscribe(
        self, topic: str, replay_id: bytes | None, *, earliest: bool = False
    ) -> AsyncIterator[AsyncIterator[wire.FetchResponse]]:
        """The events after `replay_id`, else all retained ones, else only new ones.

        Reading raises ReplayIdRefused, VendorUnavailable when the stream breaks, VendorRejected when our user
        may not subscribe. A refused login is renewed before VendorUnavailable is raised.
        """
        identity = await self._session.identity()
        more: asyncio.Queue[int] = asyncio.Queue()
        preset = wire.CUSTOM if replay_id else wire.EARLIEST if earliest else wire.LATEST

        async def requests() -> AsyncIterator[wire.FetchRequest]:
            yield wire.FetchRequest(
                topic_name=topic, replay_preset=preset, replay_id=replay_id or b"", num_requested=_MOST
            )
            while True:
                yield wire.FetchRequest(topic_name=topic, num_requested=await more.get())

        call = self._stub().Subscribe(requests(), metadata=_login(identity))
        try:
            yield self._answers(call, more, identity)
        finally:
            call.cancel()

    async def _answers(
        self, call: Any, more: asyncio.Queue[int], identity: OrgIdentity
    ) -> AsyncIterator[wire.FetchResponse]:
        while True:
            try:
                async with asyncio.timeout(_SILENCE):
                    answer = await call.read()
            except TimeoutError:
                raise self._unavailable("sent no keepalive") from None
            except asyncio.InvalidStateError:
                raise self._unavailable("closed the stream") from None
            except grpc.aio.AioRpcError as error:
                raise await self._meaning(error, identity) from None
            if answer is grpc.aio.EOF:  # pyright: ignore[reportAttributeAccessIssue] - missing in its types
                raise self._unavailable("ended the stream")
            yield answer
            # Requested only after the events were stored, so that a slow reader is not flooded.
            if answer.pending_num_requested < _MOST // 2:
                more.put_nowait(_MOST - answer.pending_num_requested)

    async def _schema(self, schema_id: str) -> Schema:
        if schema_id not in self._schemas:
            info = await self._ask("GetSchema", wire.SchemaRequest(schema_id=schema_id))
            try:
                raw = msgspec.json.decode(info.schema_json, type=dict[str, Any])
                parsed = fastavro.parse_schema(raw, named_schemas={})
            except (msgspec.DecodeError, SchemaParseException, LookupError) as error:
                raise self._violation(f"a schema is unreadable ({type(error).__name__})") from None
            self._schemas[schema_id] = Schema(raw, parsed)
        return self._schemas[schema_id]

    async def _ask(self, method: str, request: Any) -> Any:
        """One call; repeated after a new login when the old one was refused."""
        for attempt in (1, 2):
            identity = await self._session.identity()
            ask = getattr(self._stub(), method)
            try:
                return await ask(request, metadata=_login(identity), timeout=_ANSWER)
            except grpc.aio.AioRpcError as error:
                problem = await self._meaning(error, identity)
                if attempt == 1 and error.code() is grpc.StatusCode.UNAUTHENTICATED:
                    continue
                raise problem from None
        raise AssertionError("the loop returns or raises")

    async def _meaning(self, error: grpc.aio.AioRpcError, used: OrgIdentity) -> Exception:
        """The failure in our terms: never the vendor's sentence, but its request id."""
        trailers = {str(key): str(value) for key, value in error.trailing_metadata() or ()}
        code = error.code()
        if code is grpc.StatusCode.UNAUTHENTICATED:
            with suppress(VendorUnavailable):
                await self._session.renew(used)
            return self._unavailable("refused our login", trailers)
        raw = (trailers.get("error-code", "") + (error.details() or "")).lower().replace(" ", "")
        if code in (grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.OUT_OF_RANGE) and "replayid" in raw:
            return ReplayIdRefused()
        if code in _REFUSED:
            return VendorRejected(
                f"{self._instance} does not let us listen ({code.name})",
                instance=self._instance,
                vendor_request_id=trailers.get("rpc-id", ""),
            )
        return self._unavailable(f"broke off ({code.name})", trailers)

    def _unavailable(self, what: str, trailers: Mapping[str, str] | None = None) -> Problem:
        return VendorUnavailable(
            f"the event bus of {self._instance} {what}",
            instance=self._instance,
            vendor_request_id=(trailers or {}).get("rpc-id", ""),
        )

    def _violation(self, what: str) -> ContractViolation:
        return ContractViolation(f"on the event bus of {self._instance} {what}", instance=self._instance)

    def _stub(self) -> stubs.PubSubStub:
        if self._channel is None:
            if self._plaintext:
                # A stand-in on this machine; the environment's proxy cannot reach it.
                self._channel = grpc.aio.insecure_channel(self._address, [("grpc.enable_http_proxy", 0)])
            else:
                self._channel = grpc.aio.secure_channel(self._address, grpc.ssl_channel_credentials())
        return stubs.PubSubStub(self._channel)


def _login(identity: OrgIdentity) -> tuple[tuple[str, str], ...]:
    return (
        ("accesstoken", identity.access_token),
        ("instanceurl", identity.instance_url),
        ("tenantid", identity.organization_id),
    )
