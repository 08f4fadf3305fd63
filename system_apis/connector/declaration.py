"""What a vendor's package declares to its tier: its connector, and what passes through it."""

import asyncio
import datetime as dt
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec

from contracts.events.kinds import RecordChanged
from contracts.operation import Feature
from contracts.system.instance import InstanceReport
from kit.cache import Cache
from kit.database import Database
from kit.http import Budget, Limits, Recorder, Slots
from kit.settings import SettingsError

Environment = Literal["test", "production"]


class Profile(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The common head of `instances/<name>.toml`; each vendor's profile inherits it and adds its tables.

    `data_region` is where the instance's data resides; `capabilities` are those that it serves, `lacks` their
    optional features that this account does not have; `owner` answers for the account and its credentials.
    """

    name: str
    vendor: str
    environment: Environment
    data_region: str = ""
    owner: str = ""
    capabilities: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    limits: Limits = msgspec.field(default_factory=Limits)


@dataclass(frozen=True, slots=True)
class ConnectorContext:
    """What a connector is given: where secrets are looked up, and the shared stores.

    `deployment` is the kind of this deployment: a test deployment refuses a vendor's production account.
    Without a database or a cache the budgets hold within this process only.
    """

    environ: Mapping[str, str]
    deployment: Environment = "test"
    database: Database | None = None
    cache: Cache | None = None
    recorder: Recorder | None = None
    slots: Slots | None = None

    def refuse_production(self, profile: Profile) -> None:
        """Raises SettingsError where a test deployment would open a production account."""
        if (profile.environment, self.deployment) == ("production", "test"):
            raise SettingsError([f"{profile.name}: a test deployment does not open a production account"])

    def budget(self, profile: Profile) -> Budget:
        """The call budget of one instance, shared with every process that opens it."""
        return Budget(profile.name, profile.limits, slots=self.slots, cache=self.cache)


class CursorStore(Protocol):
    """A change source's position; durable, one value per name."""

    async def get(self, name: str) -> str | None: ...

    async def set(self, name: str, value: str) -> None: ...


class Receive(Protocol):
    """Stores a change in the inbox; False when it was seen before.

    `type` is the canonical event type, `key` orders: changes of one key are handled one after the other.
    """

    async def __call__(
        self,
        dedupe_id: str,
        type: str,  # noqa: A002
        key: str,
        change: RecordChanged,
        occurred_at: dt.datetime,
    ) -> bool: ...


class ChangeSource(Protocol):
    """Something that watches an instance: a stream, or a cursor with an overlap. One runs per instance."""

    name: str

    async def begin(self, cursor: CursorStore) -> None:
        """Set the mark from which changes count, where there is none yet; called before readiness."""
        ...

    async def run(self, receive: Receive, cursor: CursorStore, stop: asyncio.Event) -> None:
        """Report changes until `stop` is set; raises when the vendor fails, and is then started again."""
        ...


class Delivery(msgspec.Struct, frozen=True):
    """One change that a verified push brought; a replay of the push gives the same `dedupe_id`."""

    dedupe_id: str
    type: str
    key: str
    change: RecordChanged
    occurred_at: dt.datetime


class WebhookReceiver(Protocol):
    """Reads what a vendor pushes to `/hooks/{instance}`."""

    async def verify(self, headers: Mapping[str, str], body: bytes) -> tuple[Delivery, ...]:
        """The push's change; raises InvalidToken when forged or stale, BadRequest when unreadable.

        The names of `headers` are lower case.
        """
        ...


class OpenInstance(Protocol):
    """One configured account of a vendor, logged in on demand."""

    @property
    def capabilities(self) -> Mapping[str, Any]:
        """The adapter of each capability."""
        ...

    @property
    def changes(self) -> tuple[ChangeSource, ...]:
        """What watches the account."""
        ...

    @property
    def webhook(self) -> WebhookReceiver | None:
        """What reads the vendor's pushes; None where it sends none."""
        ...

    async def check(self) -> InstanceReport:
        """What is well and what is not: login, permissions, fields, limits, environment."""
        ...


@dataclass(frozen=True, slots=True)
class Connector:
    """A vendor: its name, the capabilities that it can serve, its profile's shape and how to open one.

    `canonical_id` gives the one spelling of a record's id, by our kind of the record and any spelling of the
    vendor's; it raises NotFound for what can be no such id. Pure: it works wherever the profile is read, also
    in a process that does not open the instance, and while the vendor is away. `lacks` are the optional
    features of its capabilities that no account of it has.
    """

    name: str
    title: str
    capabilities: tuple[str, ...]
    profile: type[Profile]
    open: Callable[[Any, ConnectorContext], AbstractAsyncContextManager[OpenInstance]]
    canonical_id: Callable[[str, str], str]
    lacks: frozenset[Feature] = frozenset()

    def lacking(self, profile: Profile) -> frozenset[str]:
        """The names of the optional features that an account does not have."""
        return frozenset(profile.lacks) | {feature.name for feature in self.lacks}


def ordering_key(instance: str, object: str, id: str) -> str:  # noqa: A002
    """The inbox key under which all changes of one record stay in order."""
    return f"{instance}:{object}:{id}"
