"""system_apis: takes in what happens at vendors: their webhooks, and what is watched at their instances."""

import asyncio
import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any

import msgspec
from litestar import Request, post
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.events.kinds import RecordChanged
from contracts.problems import NotFound, Problem, Unavailable, VendorUnavailable
from kit import context, inbox
from kit.database import Database, get_cursor, get_cursors, lease, set_cursor
from kit.secret_store import SecretStore
from kit.telemetry import log
from system_apis.app import Instance, connector_of, watch
from system_apis.connector import (
    ChangeSource,
    ConnectorContext,
    OpenInstance,
    WebhookAnswer,
    WebhookReceiver,
    WebhookRequest,
    WebhookResult,
)
from system_apis.connector.polling import pause, polled
from system_apis.connector.stored_webhooks import WebhookStore
from system_apis.connector.webhooks import RefusingReceiver
from system_apis.login_case import LoginCase, WorkingCursors
from system_apis.webhook_registrar import Configured, WebhookRegistrar

BEGIN_SECONDS = 3.0
LOOK_SECONDS = 1.0  # until a process that watches an instance learns that another received a request to poll

_log = log("system_apis")

Work = tuple[str, Callable[[], Awaitable[None]]]


class AddressedRequest(msgspec.Struct, frozen=True):
    """A vendor's call with its addressee: an instance, or all of a vendor."""

    request: WebhookRequest
    instance: str = ""
    vendor: str = ""


class Intake:
    """The intake of the instances of a process; `wake` says that the inbox has something new."""

    def __init__(
        self, instances: Mapping[str, Instance], database: Database, wake: Callable[[], None] = lambda: None
    ) -> None:
        self._instances = instances
        self._database = database
        self._wake = wake
        self._looks = {name: [asyncio.Event() for _ in one.opened.changes] for name, one in instances.items()}

    async def receive(self, addressed: AddressedRequest) -> WebhookAnswer:
        """Verify a call as its vendor defines, store what it brought in one transaction, answer the vendor.

        Raises NotFound where nothing takes calls at that address, and what the receiver raises.
        """
        if addressed.vendor:
            return await self._receive_shared(addressed.vendor, addressed.request)
        instance = self._instances.get(addressed.instance)
        receiver = instance.opened.webhook if instance else None
        if receiver is None or not receiver.serves(addressed.request.name):
            raise NotFound("No instance accepts webhooks at this address.")
        result = await receiver.receive(addressed.request)
        await self._store({addressed.instance: result})
        return result.answer

    async def begin(self) -> None:
        """Set every source's mark: what happens once we are ready counts. An absent vendor sets it later."""
        for name, instance in self._instances.items():
            for source in instance.opened.changes:
                try:
                    async with asyncio.timeout(BEGIN_SECONDS):
                        await source.begin(Cursors(self._database, name))
                except (Problem, TimeoutError) as error:
                    _log.warning("mark_not_set", source=source.name, error=repr(error))

    def work(self, stop: asyncio.Event) -> list[Work]:
        """What watches the instances, each with its name."""
        tasks: list[Work] = []
        if self._receiving():
            tasks.append(("webhooks' wish to look", partial(self._pass_on_looks, stop)))
        for name, instance in self._instances.items():
            case = LoginCase(name, self._database)
            tasks += [
                (f"changes of {source.name}", partial(self._watch, instance, source, look, case, stop))
                for source, look in zip(instance.opened.changes, self._looks[name], strict=True)
            ]
        return tasks

    async def _watch(
        self,
        instance: Instance,
        source: ChangeSource,
        look: asyncio.Event,
        case: LoginCase,
        stop: asyncio.Event,
    ) -> None:
        polled.set(partial(case.works, source.name))
        await watch(
            source,
            receive=Receiver(instance, self._database, self._wake),
            cursor=WorkingCursors(Cursors(self._database, instance.profile.name), case, source.name),
            lease=lambda what: lease(self._database, f"changes:{what}"),
            stop=stop,
            look=look,
            failed=partial(case.failed, source.name),
        )

    def look_now(self, name: str) -> None:
        """Poll an instance at once, where this process watches it."""
        for look in self._looks.get(name, ()):
            look.set()

    async def _receive_shared(self, vendor: str, request: WebhookRequest) -> WebhookAnswer:
        """Every instance that the request names takes its own of it, or none does."""
        ours = {name: one for name, one in self._instances.items() if one.connector.name == vendor}
        accounts_of = next((one.connector.shared_webhook for one in ours.values()), None)
        if accounts_of is None:
            raise NotFound("No vendor calls this address.")
        named = frozenset(accounts_of(request))
        receivers = {name: one.opened.webhook for name, one in ours.items()}
        opened = {name: each for name, each in receivers.items() if each and not _is_closed(each)}
        chosen = {name: each for name, each in opened.items() if each.account in named}
        if not named:
            chosen = dict(list(opened.items())[:1])
        results = {name: await each.receive(request) for name, each in chosen.items()}
        await self._store(results)
        missing = named - {each.account for each in chosen.values()}
        if (missing or not chosen) and any(each and _is_closed(each) for each in receivers.values()):
            # It may be of an instance that is not open: the vendor sends it again, which harms no other.
            raise VendorUnavailable(f"Not every instance of {vendor} is open", retry_after=60)
        if not results:
            raise NotFound("No instance has the account that this request names.")
        return next(iter(results.values())).answer

    async def _store(self, results: Mapping[str, WebhookResult]) -> None:
        async with self._database.begin() as connection:
            for name, result in results.items():
                await _store_result(connection, self._instances[name], result)
        self._wake()
        for name, result in results.items():
            if result.look_now:
                self.look_now(name)

    async def _pass_on_looks(self, stop: asyncio.Event) -> None:
        """Until stopped: poll the instances for which another process received a request."""
        seen: dict[str, str] | None = None
        while not stop.is_set():
            with suppress(Unavailable):  # what is stored meanwhile is seen by the next look
                stored = await self._looks_stored()
                if seen is not None:
                    self._look_where_new(seen, stored)
                seen = stored
            await pause(stop, LOOK_SECONDS)

    def _look_where_new(self, seen: Mapping[str, str], stored: Mapping[str, str]) -> None:
        for name in self._receiving():
            if stored.get(_look_of(name)) != seen.get(_look_of(name)):
                self.look_now(name)

    def _receiving(self) -> list[str]:
        """The instances that vendors call, and that this process watches."""
        return [
            name
            for name, one in self._instances.items()
            if one.opened.webhook is not None and self._looks[name]
        ]

    async def _looks_stored(self) -> dict[str, str]:
        async with self._database.connect() as connection:
            return await get_cursors(connection, [_look_of(name) for name in self._receiving()])


async def _store_result(connection: AsyncConnection, instance: Instance, result: WebhookResult) -> None:
    for delivery in filter(lambda each: instance.accepts(each.change), result.deliveries):
        await inbox.receive(
            connection,
            source=instance.profile.name,
            id=delivery.dedupe_id,
            type=delivery.type,
            key=delivery.key,
            data=delivery.change,
            occurred_at=delivery.occurred_at,
            correlation_id=context.current().correlation_id,
        )
    if result.look_now:
        await set_cursor(connection, _look_of(instance.profile.name), context.new_id("look"))


def _look_of(instance: str) -> str:
    return f"{instance}:look"


def _is_closed(receiver: WebhookReceiver) -> bool:
    return isinstance(receiver, RefusingReceiver)


def registrar(
    instances: Mapping[str, Instance], store: SecretStore, public_url: str, context: ConnectorContext
) -> WebhookRegistrar:
    """What looks after the registrations of these instances' addresses at their vendors."""

    @asynccontextmanager
    async def open_stored(vendor: str, profile: Mapping[str, Any]) -> AsyncIterator[OpenInstance]:
        connector = connector_of(vendor)
        async with connector.open(msgspec.convert(profile, connector.profile), context) as opened:
            yield opened

    configured = {
        name: Configured(one.profile, receiver, is_open=receiver is None or not _is_closed(receiver))
        for name, one in instances.items()
        for receiver in (one.opened.webhook,)
    }
    return WebhookRegistrar(configured, WebhookStore(store), public_url, open_stored)


async def keep_registered(registrar: WebhookRegistrar, database: Database, stop: asyncio.Event) -> None:
    """Until stopped, run the registrar while this process holds its lease; a database is waited for."""
    while not stop.is_set():
        try:
            if not await registrar.has_work():
                return
            async with lease(database, "webhooks") as hold:
                await registrar.run(stop, hold)
        except Unavailable:
            _log.warning("webhooks_wait_for_the_database")
            await pause(stop, LOOK_SECONDS)


def route(intake: Intake) -> Any:
    """Where the gateway of another process hands a vendor's call to this tier."""

    @post("/hooks", status_code=200)
    async def take(request: Request[Any, Any, Any]) -> WebhookAnswer:
        return await intake.receive(msgspec.json.decode(await request.body(), type=AddressedRequest))

    return take


class Receiver:
    """Stores what an instance's change sources report."""

    def __init__(self, instance: Instance, database: Database, wake: Callable[[], None]) -> None:
        self._instance = instance
        self._database = database
        self._wake = wake

    async def __call__(
        self,
        dedupe_id: str,
        type: str,  # noqa: A002 - CloudEvents' word
        key: str,
        change: RecordChanged,
        occurred_at: dt.datetime,
    ) -> bool:
        if not self._instance.accepts(change):
            return False
        stored = await inbox.receive(
            self._database,
            source=self._instance.profile.name,
            id=dedupe_id,
            type=type,
            key=key,
            data=change,
            occurred_at=occurred_at,
            correlation_id=context.new_correlation_id(),
        )
        if stored:
            self._wake()
        return stored


class Cursors:
    """How far an instance's change sources have come."""

    def __init__(self, database: Database, instance: str) -> None:
        self._database = database
        self._instance = instance

    async def get(self, name: str) -> str | None:
        async with self._database.connect() as connection:
            return await get_cursor(connection, f"{self._instance}:{name}")

    async def set(self, name: str, value: str) -> None:
        async with self._database.begin() as connection:
            await set_cursor(connection, f"{self._instance}:{name}", value)
