"""system_apis: the registrations of our addresses at vendors, stored with their secrets, sealed."""

import datetime as dt
from collections.abc import Awaitable, Callable
from typing import Any, Literal

import msgspec

from kit.secret_store import SecretStore
from kit.secrets import Secret
from system_apis.connector.webhooks import Registration

_PREFIX = "webhook:"

Secrets = Callable[[], Awaitable[tuple[Secret, ...]]]


class StoredWebhook(msgspec.Struct, frozen=True):
    """One address of an instance.

    `pending` before the vendor has answered, since it may call us at once; `off` where somebody removed it.
    `secrets` are valid ones, the newest first: what was sent before a renewal may arrive after it. `profile`
    is the instance's, by which it can be opened once more after it has left the configuration.
    """

    instance: str
    vendor: str
    name: str
    status: Literal["pending", "active", "off"]
    address: str = ""
    secrets: tuple[str, ...] = ()
    registration: Registration | None = None
    since: dt.datetime | None = None
    profile: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"StoredWebhook({self.instance}, {self.name}, {self.status})"


class WebhookStore:
    """All stored registrations of a deployment."""

    def __init__(self, store: SecretStore) -> None:
        self._store = store

    async def read(self, instance: str, name: str) -> StoredWebhook | None:
        return await self._store.read(f"{_PREFIX}{instance}:{name}", StoredWebhook)

    async def write(self, stored: StoredWebhook) -> None:
        await self._store.write(f"{_PREFIX}{stored.instance}:{stored.name}", stored)

    async def delete(self, stored: StoredWebhook) -> None:
        await self._store.delete(f"{_PREFIX}{stored.instance}:{stored.name}")

    async def all(self) -> list[StoredWebhook]:
        """Every one, by instance and name."""
        webhooks = [await self._store.read(name, StoredWebhook) for name in await self._store.names(_PREFIX)]
        return [stored for stored in webhooks if stored is not None]

    def secrets_of(self, instance: str, name: str = "") -> Secrets:
        """How a receiver reads the secrets of one of its addresses, newest first."""

        async def read() -> tuple[Secret, ...]:
            stored = await self.read(instance, name)
            return tuple(Secret(text) for text in stored.secrets) if stored else ()

        return read
