"""The Salesforce stand-in's Pub/Sub API: the vendor's gRPC service over the retained stream."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any, NoReturn

import grpc
import grpc.aio

from sandbox.core import Account, World
from sandbox.salesforce.events import stream, topics
from sandbox.salesforce.events.avro import decode
from sandbox.salesforce.proto import pubsub_api_pb2 as pb
from sandbox.salesforce.proto import pubsub_api_pb2_grpc as stubs
from sandbox.salesforce.records.org import Org
from sandbox.salesforce.sessions import org_of_token, session_of

PREFIX = "sfdc.platform.eventbus.grpc."
MOST_AT_ONCE = 100
KEEP_ALIVE_SECONDS = 270.0
Context = grpc.aio.ServicerContext


async def refuse(context: Context, status: grpc.StatusCode, code: str, message: str) -> NoReturn:
    """End the call as the vendor does: its own code travels in the trailers."""
    full = PREFIX + code
    context.set_trailing_metadata((("error-code", full), ("rpc-id", _rpc_id(context))))
    await context.abort(status, f"{full}: {message}, rpcId: {_rpc_id(context)}")
    raise AssertionError("abort raises")


def _rpc_id(context: Context) -> str:
    return f"{id(context):032x}"


class PubSub(stubs.PubSubServicer):
    def __init__(self, world: World) -> None:
        self.world = world

    async def _org(self, context: Context, method: str) -> Org:
        """The org that the call's metadata names, with a live session. The account's faults strike too."""
        sent = {str(k): str(v) for k, v in context.invocation_metadata() or ()}
        org = org_of_token(self.world, sent.get("accesstoken", ""))
        session = session_of(org, sent.get("accesstoken", "")) if org else None
        tenant = sent.get("tenantid", "")
        if org is None or session is None or tenant[:15] != org.org_id[:15] or not sent.get("instanceurl"):
            await refuse(
                context,
                grpc.StatusCode.UNAUTHENTICATED,
                "service.auth.error",
                "Authentication exception occurred",
            )
        path = f"/eventbus.v1.PubSub/{method}"
        call = org.account.log.enter(org.now().isoformat(), "GRPC", path, "", counted=False)
        call.auth = session["username"]
        fault = org.account.faults.strike("GRPC", path, "")
        if fault and "latency_ms" in fault.effect:
            await asyncio.sleep(fault.effect["latency_ms"] / 1000)
        if (fault and {"status", "drop"} & set(fault.effect)) or not available(org):
            call.fault = "unavailable"
            await refuse(
                context, grpc.StatusCode.UNAVAILABLE, "service.unavailable", "Service is unavailable"
            )
        return org

    async def GetTopic(self, request: pb.TopicRequest, context: Context) -> pb.TopicInfo:  # noqa: N802
        org = await self._org(context, "GetTopic")
        if topics.carried(org, request.topic_name) is None:
            await _no_topic(context, request.topic_name)
        return pb.TopicInfo(
            topic_name=request.topic_name,
            tenant_guid=f"core/devtest/{org.org_id[:15]}",
            can_publish=topics.is_platform_event(request.topic_name),
            can_subscribe=True,
            schema_id=topics.schema_of(org, request.topic_name),
            rpc_id=_rpc_id(context),
        )

    async def GetSchema(self, request: pb.SchemaRequest, context: Context) -> pb.SchemaInfo:  # noqa: N802
        org = await self._org(context, "GetSchema")
        text = topics.schema_text(org, request.schema_id)
        if text is None:
            await refuse(
                context, grpc.StatusCode.INVALID_ARGUMENT, "schema.not.found", "The schema cannot be found"
            )
        return pb.SchemaInfo(schema_json=text, schema_id=request.schema_id, rpc_id=_rpc_id(context))

    async def Subscribe(  # noqa: N802
        self, request_iterator: AsyncIterator[pb.FetchRequest], context: Context
    ) -> AsyncIterator[pb.FetchResponse]:
        # Before anything is refused: grpc.aio calls a refusal INTERNAL that reaches it while it writes.
        first = await anext(request_iterator, None)
        org = await self._org(context, "Subscribe")
        if first is None:
            return
        subscription = _Subscription(org, first.topic_name, context)
        await subscription.start(first)
        reading = asyncio.create_task(subscription.read(request_iterator))
        try:
            async for response in subscription.responses(self.world):
                yield response
        finally:
            reading.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await reading
            subscription.end()

    async def Publish(self, request: pb.PublishRequest, context: Context) -> pb.PublishResponse:  # noqa: N802
        org = await self._org(context, "Publish")
        topic = request.topic_name
        if topics.carried(org, topic) is None or not topics.is_platform_event(topic):
            await _no_topic(context, topic)
        results = [_published(org, topic, event) for event in request.events]
        return pb.PublishResponse(
            results=results, schema_id=topics.schema_of(org, topic), rpc_id=_rpc_id(context)
        )


class _Subscription:
    """One stream: its place, how many events its client still wants, and its wake-up."""

    def __init__(self, org: Org, topic: str, context: Context) -> None:
        self.org, self.topic, self.context = org, topic, context
        self.topics: set[str] = set()
        self.place = 0
        self.wanted = 0
        self.wake = asyncio.Event()
        self.closed = False
        self.fault: tuple[str, str] | None = None
        # A reset account has new contents: the stream of the old ones cannot go on.
        self.contents = org.account.extra

    async def start(self, first: pb.FetchRequest) -> None:
        carried = topics.carried(self.org, self.topic)
        if carried is None:
            await _no_topic(self.context, self.topic)
        self.topics = carried
        if first.num_requested <= 0:
            await self._bad(
                "fetch.requested.events.invalid", "The number of requested events must be positive"
            )
        if first.replay_preset == pb.CUSTOM and not first.replay_id:
            await self._bad("fetch.replayid.validation.failed", "Replay ID validation failed")
        self.place = await self._starting_place(first)
        self.wanted = min(first.num_requested, MOST_AT_ONCE)
        self.org.waiting.add(self.wake)

    async def _starting_place(self, first: pb.FetchRequest) -> int:
        if first.replay_preset == pb.EARLIEST:
            return 0
        if first.replay_preset == pb.LATEST:
            return stream.latest_place(self.org)
        place = stream.place_of(first.replay_id)
        if place is None or not stream.has_place(self.org, place):
            await self._bad("fetch.replayid.corrupted", "The Replay ID is corrupted or not retained any more")
        return place

    async def _bad(self, code: str, message: str) -> NoReturn:
        await refuse(self.context, grpc.StatusCode.INVALID_ARGUMENT, f"subscription.{code}", message)

    async def read(self, requests: AsyncIterator[pb.FetchRequest]) -> None:
        """Take in what the client asks further; what it wants adds up."""
        async for request in requests:
            if request.topic_name and request.topic_name != self.topic:
                self.fault = ("fetch.topic.invalid", "The topic of a subscription cannot change")
            elif request.num_requested <= 0:
                self.fault = (
                    "fetch.requested.events.invalid",
                    "The number of requested events must be positive",
                )
            self.wanted = min(self.wanted + request.num_requested, MOST_AT_ONCE)
            self.wake.set()
        self.closed = True
        self.wake.set()

    async def responses(self, world: World) -> AsyncIterator[pb.FetchResponse]:
        account = self.org.account
        pause = float(account.settings.get("keep_alive_seconds", KEEP_ALIVE_SECONDS))
        while True:
            self.wake.clear()
            await self._stay(world, account)
            events = stream.after(self.org, self.place, self.topics, self.wanted) if self.wanted else []
            if events:
                yield self._batch(events)
                continue
            if self.closed:
                return
            try:
                await asyncio.wait_for(self.wake.wait(), pause)
            except TimeoutError:
                yield self._keep_alive()

    async def _stay(self, world: World, account: Account) -> None:
        if self.fault:
            await self._bad(*self.fault)
        gone = world.accounts.get(account.name) is not account or account.extra is not self.contents
        if gone or not available(self.org):
            await refuse(
                self.context, grpc.StatusCode.UNAVAILABLE, "service.unavailable", "Service is unavailable"
            )

    def _batch(self, events: list[dict[str, Any]]) -> pb.FetchResponse:
        self.place = events[-1]["place"]
        self.wanted -= len(events)
        return pb.FetchResponse(
            events=[
                pb.ConsumerEvent(
                    event=pb.ProducerEvent(
                        id=event["id"], schema_id=event["schema"], payload=stream.payload_of(self.org, event)
                    ),
                    replay_id=stream.replay_id(event["place"]),
                )
                for event in events
            ],
            latest_replay_id=stream.replay_id(self.place),
            rpc_id=_rpc_id(self.context),
            pending_num_requested=self.wanted,
        )

    def _keep_alive(self) -> pb.FetchResponse:
        # With nothing wanted, events may wait: the answered place is the one reached, not the stream's end.
        waiting = stream.after(self.org, self.place, self.topics, 1)
        if not waiting:
            self.place = stream.latest_place(self.org)
        return pb.FetchResponse(
            latest_replay_id=stream.replay_id(self.place),
            rpc_id=_rpc_id(self.context),
            pending_num_requested=self.wanted,
        )

    def end(self) -> None:
        self.org.waiting.discard(self.wake)


def available(org: Org) -> bool:
    return bool(org.account.extra.get("limits", {}).get("pubsub_available", True))


async def _no_topic(context: Context, topic: str) -> NoReturn:
    await refuse(context, grpc.StatusCode.NOT_FOUND, "topic.not.found", f"The topic {topic} cannot be found")


def _published(org: Org, topic: str, event: pb.ProducerEvent) -> pb.PublishResult:
    schema = topics.schema_by_id(org, event.schema_id)
    try:
        record = decode(schema, event.payload) if schema else None
    except (TypeError, ValueError, EOFError, IndexError, StopIteration):
        record = None
    if record is None:
        error = pb.Error(code=pb.PUBLISH, msg="The event cannot be read by the schema that it names")
        return pb.PublishResult(error=error, correlation_key=event.id)
    entry = {"topic": topic, "schema": event.schema_id, "event": record, "id": event.id}
    return pb.PublishResult(replay_id=stream.replay_id(stream.append(org, entry)), correlation_key=event.id)
