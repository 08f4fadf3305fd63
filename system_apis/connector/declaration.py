"""What a vendor's package declares to its tier: its connector, and what passes through it."""

import asyncio
import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from contracts.canonical.values import LONGEST_KEY
from contracts.events.kinds import RecordChanged
from contracts.operation import Feature
from contracts.system.instance import InstanceFacts
from kit.cache import Cache
from kit.database import Database
from kit.http import Budget, Counters, Recorder, Slots
from kit.secret_store import SecretStore
from kit.settings import SettingsError
from system_apis.connector.profile import Environment, Profile
from system_apis.connector.stored_webhooks import Secrets, WebhookStore
from system_apis.connector.webhooks import WebhookRequest


@dataclass(frozen=True, slots=True)
class ConnectorContext:
    """What a connector is given: where secrets are looked up, and the shared stores.

    `deployment` is the kind of this deployment: a test deployment refuses a vendor's production account.
    Without a database or a cache the budgets hold within this process only. `secrets` stores what vendors
    hand out: rotated refresh tokens, webhooks' secrets.
    """

    environ: Mapping[str, str]
    deployment: Environment = "test"
    database: Database | None = None
    cache: Cache | None = None
    recorder: Recorder | None = None
    slots: Slots | None = None
    secrets: SecretStore | None = None
    counters: Counters = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "counters", Counters(self.slots, self.cache))

    def refuse_production(self, profile: Profile) -> None:
        """Raises SettingsError where a test deployment would open a production account."""
        if (profile.environment, self.deployment) == ("production", "test"):
            raise SettingsError([f"{profile.name}: a test deployment does not open a production account"])

    def secret_store(self, profile: Profile) -> SecretStore:
        """Where the instance's rotated tokens are stored; raises SettingsError without a database."""
        if self.secrets is None:
            raise SettingsError(
                [f"{profile.name}: its login rotates, and needs the database to be stored in"]
            )
        return self.secrets

    def webhook_secrets(self, profile: Profile, name: str = "") -> Secrets:
        """How the receiver of an address reads the secrets that its calls are verified with."""
        return WebhookStore(self.secret_store(profile)).secrets_of(profile.name, name)

    def budget(self, profile: Profile) -> Budget:
        """The call budget of one instance, shared with every process that opens it."""
        return Budget(
            profile.name,
            profile.limits,
            allowance=profile.allowance,
            named=profile.allowances,
            counters=self.counters,
        )


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


@dataclass(frozen=True, slots=True)
class Connector:
    """A vendor: its name, the capabilities that it can serve, its profile's shape and how to open one.

    `canonical_id` gives the one spelling of a record's id, by our kind of the record and any spelling of the
    vendor's; it raises NotFound for what can be no such id. Pure: it works wherever the profile is read, also
    in a process that does not open the instance, and while the vendor is away. `allowances` names what the
    vendor counts apart from all calls (searches, bulk jobs); a profile sets their limits. `lacks` are the
    optional features of its capabilities that no account of it has.

    `key_length` is how many characters the vendor's external references hold (at least 16): longer keys of
    ours are shortened before the adapter is given them. `answers_later` says that writes may be accepted
    first and done later: the adapter raises VendorPending until then (`connector.jobs`).

    `shared_webhook` is there where the vendor calls one address for several instances
    (`/vendor-hooks/{vendor}`): it returns the accounts that a request names, before that is verified.
    `registers_webhooks` says whether an instance of a profile registers its addresses at the vendor itself.
    """

    name: str
    title: str
    capabilities: tuple[str, ...]
    profile: type[Profile]
    open: Callable[[Any, ConnectorContext], AbstractAsyncContextManager[Any]]
    canonical_id: Callable[[str, str], str]
    lacks: frozenset[Feature] = frozenset()
    allowances: tuple[str, ...] = ()
    key_length: int = LONGEST_KEY
    answers_later: bool = False
    shared_webhook: Callable[[WebhookRequest], Iterable[str]] | None = None
    registers_webhooks: Callable[[Any], bool] = lambda _: False

    def facts(self, profile: Profile) -> InstanceFacts:
        """What is known of an account before it is asked."""
        lacks = {*profile.lacks, *(feature.name for feature in self.lacks)}
        return InstanceFacts(
            name=profile.name,
            vendor=profile.vendor,
            environment=profile.environment,
            capabilities=profile.capabilities,
            data_region=profile.data_region,
            lacks=tuple(sorted(lacks)),
            currency=profile.currency,
            time_zone=profile.time_zone,
            key_length=self.key_length,
            answers_later=self.answers_later,
        )


def ordering_key(instance: str, object: str, id: str) -> str:  # noqa: A002
    """The inbox key under which all changes of one record stay in order."""
    return f"{instance}:{object}:{id}"
