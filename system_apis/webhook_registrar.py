"""system_apis: registers our addresses at vendors, renews them before they end, and removes them."""

import asyncio
import datetime as dt
import secrets
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any

import msgspec

from contracts.problems import NotFound, Problem
from kit import clock, context
from kit.database import Hold
from kit.telemetry import log
from system_apis.connector import OpenInstance, Profile
from system_apis.connector.polling import in_background, pause
from system_apis.connector.stored_webhooks import StoredWebhook, WebhookStore
from system_apis.connector.webhooks import Registration, WebhookLifecycle, WebhookReceiver

CHECK_SECONDS = 60.0
LOOK_UP = dt.timedelta(hours=1)  # how often the vendor is asked whether it still has a registration
_RENEW_AT = 2 / 3  # of a registration's life: a third is left to mend what prevents its renewal

_log = log("system_apis")

# Opens an instance that has left the configuration, by its vendor and its stored profile.
OpenStored = Callable[[str, Mapping[str, Any]], AbstractAsyncContextManager[OpenInstance]]


class Configured(msgspec.Struct, frozen=True):
    """An instance of the configuration; `receiver` is None where it is not open or takes no webhooks."""

    profile: Profile
    receiver: WebhookReceiver | None
    is_open: bool = True


class WebhookRegistrar:
    """One process at a time runs it: the one that holds its lease."""

    def __init__(
        self,
        instances: Mapping[str, Configured],
        store: WebhookStore,
        public_url: str,
        open_stored: OpenStored,
    ) -> None:
        self._instances = instances
        self._store = store
        self._public_url = public_url.rstrip("/")
        self._open_stored = open_stored
        self._looked_up: dict[tuple[str, str], dt.datetime] = {}

    async def has_work(self) -> bool:
        """Whether any address is, or is to be, registered."""
        return bool(self._wanted() or await self._store.all())

    async def run(self, stop: asyncio.Event, hold: Hold) -> None:
        """Until stopped; what a vendor refuses is logged and tried again. Raises Unavailable."""
        while not stop.is_set():
            await hold.confirm()
            await self.ensure()
            await pause(stop, CHECK_SECONDS)

    async def ensure(self) -> None:
        """Bring every registration into the state that the configuration wants."""
        stored = {(each.instance, each.name): each for each in await self._store.all()}
        wanted = dict(self._wanted())
        for key, (profile, lifecycle) in wanted.items():
            await self._guarded(key, lambda: self._ensure_one(profile, lifecycle, stored.get(key)))  # noqa: B023 - awaited here
        for key, each in stored.items():
            if key not in wanted and self._has_left(each):
                await self._guarded(key, lambda: self.remove(each))  # noqa: B023 - awaited here

    async def remove(self, stored: StoredWebhook) -> None:
        """Remove a registration at the vendor and forget it; raises the vendor's problem."""
        await self._remove_at_vendor(stored)
        await self._store.delete(stored)

    async def switch_off(self, stored: StoredWebhook) -> None:
        """Remove a registration at the vendor until it is switched on; raises the vendor's problem."""
        await self._remove_at_vendor(stored)
        await self._store.write(
            msgspec.structs.replace(stored, status="off", address="", registration=None, secrets=())
        )

    async def switch_on(self, stored: StoredWebhook) -> None:
        """Let it be registered again, by the process that looks after it."""
        await self._store.write(msgspec.structs.replace(stored, status="pending"))

    async def _remove_at_vendor(self, stored: StoredWebhook) -> None:
        if not stored.address:
            return
        async with self._open_stored(stored.vendor, stored.profile) as opened:
            for lifecycle in opened.webhook.lifecycles if opened.webhook else ():
                if lifecycle.name == stored.name:
                    await _remove_all(lifecycle, stored.address, stored.registration)
        _log.info("webhook_removed", instance=stored.instance, name=stored.name)

    def _wanted(self) -> list[tuple[tuple[str, str], tuple[Profile, WebhookLifecycle]]]:
        if not self._public_url:
            return []
        return [
            ((name, lifecycle.name), (each.profile, lifecycle))
            for name, each in self._instances.items()
            if each.is_open and each.receiver is not None
            for lifecycle in each.receiver.lifecycles
        ]

    def _has_left(self, stored: StoredWebhook) -> bool:
        """Whether nothing wants it; an instance that is closed for the moment still does."""
        if not self._public_url:
            return False
        configured = self._instances.get(stored.instance)
        return configured is None or configured.is_open

    async def _guarded(self, key: tuple[str, str], work: Callable[[], Any]) -> None:
        instance, name = key
        try:
            with context.use(in_background(f"{instance}.webhooks")):
                await work()
        except Exception as error:  # noqa: BLE001 - one vendor's trouble is not another's
            problem = error.detail if isinstance(error, Problem) else type(error).__name__
            _log.warning("webhook_not_registered", instance=instance, name=name, problem=problem)

    async def _ensure_one(
        self, profile: Profile, lifecycle: WebhookLifecycle, stored: StoredWebhook | None
    ) -> None:
        address = self.address(profile.name, lifecycle.name)
        if stored is not None and stored.status == "off":
            return
        if stored is not None and stored.registration is not None and stored.status == "active":
            if stored.address == address and await self._still_valid(lifecycle, stored):
                return
            if stored.address != address:
                await _remove_all(lifecycle, stored.address, stored.registration)
        await self._register(profile, lifecycle, address, stored)

    async def _still_valid(self, lifecycle: WebhookLifecycle, stored: StoredWebhook) -> bool:
        """Whether it is registered, for long enough; renewed where it is not. False where it is gone."""
        registration = stored.registration
        if registration is None:
            return False
        if _is_due(stored):
            try:
                renewed = await lifecycle.renew(registration, stored.address, stored.secrets[0])
            except NotFound:
                return False
            await self._store.write(_renewed(stored, renewed))
            _log.info("webhook_renewed", instance=stored.instance, name=stored.name)
            return True
        return await self._is_known(lifecycle, stored, registration)

    async def _is_known(
        self, lifecycle: WebhookLifecycle, stored: StoredWebhook, registration: Registration
    ) -> bool:
        """Whether the vendor still has it: some delete what they could not deliver to for a while."""
        key = (stored.instance, stored.name)
        looked_up = self._looked_up.get(key)
        if looked_up is not None and clock.now() - looked_up < LOOK_UP:
            return True
        known = await lifecycle.registered(stored.address)
        self._looked_up[key] = clock.now()
        return registration.id in [each.id for each in known]

    async def _register(
        self, profile: Profile, lifecycle: WebhookLifecycle, address: str, stored: StoredWebhook | None
    ) -> None:
        pending = StoredWebhook(
            instance=profile.name,
            vendor=profile.vendor,
            name=lifecycle.name,
            status="pending",
            address=address,
            secrets=_newest(secrets.token_urlsafe(32), stored),
            since=clock.now(),
            profile=msgspec.to_builtins(profile),
        )
        # Before the vendor is asked: it may call at once, and this process may end before it has answered.
        await self._store.write(pending)
        await _remove_all(lifecycle, address)  # of an earlier attempt, whose secret is lost
        registration = await lifecycle.register(address, pending.secrets[0])
        await self._store.write(_renewed(pending, registration))
        self._looked_up[profile.name, lifecycle.name] = clock.now()
        _log.info("webhook_registered", instance=profile.name, name=lifecycle.name)

    def address(self, instance: str, name: str) -> str:
        """The external address of an instance's webhook."""
        return f"{self._public_url}/hooks/{instance}" + (f"/{name}" if name else "")


async def _remove_all(
    lifecycle: WebhookLifecycle, address: str, registration: Registration | None = None
) -> None:
    """Remove what the vendor has for an address, and one registration that is known."""
    known = {each.id: each for each in await lifecycle.registered(address)}
    if registration is not None:
        known.setdefault(registration.id, registration)
    for each in known.values():
        with suppress(NotFound):
            await lifecycle.remove(each)


def _newest(secret: str, stored: StoredWebhook | None) -> tuple[str, ...]:
    return (secret, *(stored.secrets if stored else ()))[:2]


def _renewed(stored: StoredWebhook, registration: Registration) -> StoredWebhook:
    """Active under what the vendor answered; a secret that it hands out is the newest."""
    handed_out = registration.secret and registration.secret not in stored.secrets
    return msgspec.structs.replace(
        stored,
        status="active",
        registration=registration,
        secrets=_newest(registration.secret, stored) if handed_out else stored.secrets,
        since=clock.now(),
    )


def _is_due(stored: StoredWebhook) -> bool:
    registration, since = stored.registration, stored.since
    if registration is None or registration.expires_at is None or since is None:
        return False
    return clock.now() >= since + (registration.expires_at - since) * _RENEW_AT
