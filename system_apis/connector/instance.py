"""system_apis: one open account of a vendor, and how every vendor opens it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from contracts.system.instance import InstanceReport
from kit.http import Auth, Outbound
from kit.settings import SettingsError
from system_apis.connector.checks import CheckStep, findings_of
from system_apis.connector.declaration import ChangeSource, ConnectorContext
from system_apis.connector.profile import Environment, Profile
from system_apis.connector.webhooks import WebhookReceiver

P = TypeVar("P", bound=Profile)


@dataclass(frozen=True, kw_only=True)
class Login:
    """How an account is reached; `reading` are Outbound's readers of the vendor's answers.

    `session` is what else shares the login, an event stream for example; `environment` is what the account's
    id shows, where it shows any.
    """

    base_url: str
    auth: Auth
    request_id_header: str
    headers: Mapping[str, str] = field(default_factory=dict)
    reading: Mapping[str, Any] = field(default_factory=dict)
    session: Any = None
    environment: Environment | None = None


@dataclass(frozen=True, kw_only=True)
class OpenInstance:
    """One configured account of a vendor, logged in on demand.

    `capabilities` has the adapter of each, `changes` what watches the account, `webhook` what reads the
    vendor's pushes, `steps` what a check looks at; `close` is called at the end.
    """

    profile: Profile
    capabilities: Mapping[str, Any]
    client: Any = None
    changes: tuple[ChangeSource, ...] = ()
    webhook: WebhookReceiver | None = None
    steps: Callable[[], Iterable[CheckStep]] = tuple
    close: Callable[[], Awaitable[None]] | None = None

    async def check(self) -> InstanceReport:
        """What is well and what is not, by the vendor's own names: login, permissions, fields, limits."""
        findings = await findings_of(self.steps())
        one = self.profile
        return InstanceReport(one.name, one.vendor, one.environment, findings, one.currency, one.time_zone)


@dataclass(frozen=True)
class Account(Generic[P]):
    """What a vendor builds an open instance from."""

    profile: P
    context: ConnectorContext
    outbound: Outbound
    login: Login


def opening(
    login: Callable[[P, ConnectorContext], Login],
    build: Callable[[Account[P]], OpenInstance],
) -> Callable[[P, ConnectorContext], AbstractAsyncContextManager[OpenInstance]]:
    """How a vendor's instances are opened: it supplies the login, and what is built on the account's client.

    Opening raises SettingsError for a production account in a test deployment, or without TLS.
    """

    @asynccontextmanager
    async def open_instance(profile: P, context: ConnectorContext) -> AsyncIterator[OpenInstance]:
        reached = login(profile, context)
        _refuse(profile, reached)
        context.refuse_production(profile)
        async with Outbound(
            instance=profile.name,
            base_url=reached.base_url,
            auth=reached.auth,
            budget=context.budget(profile),
            request_id_header=reached.request_id_header,
            recorder=context.recorder,
            headers={"Accept": "application/json", **reached.headers},
            **reached.reading,
        ) as outbound:
            instance = build(Account(profile, context, outbound, reached))
            try:
                yield instance
            finally:
                if instance.close:
                    await instance.close()

    return open_instance


def _refuse(profile: Profile, login: Login) -> None:
    """The profile is checked when it is read; this is what its references lead to."""
    if login.environment not in (None, profile.environment):
        raise SettingsError(
            [f"{profile.name} is called {profile.environment}, its account is {login.environment}"]
        )
    if profile.environment == "production" and login.base_url.startswith("http://"):
        raise SettingsError([f"{profile.name}: {login.base_url} would send a production login in the clear"])
