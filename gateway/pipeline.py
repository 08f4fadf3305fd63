"""The pipeline: all policies in order. The order is defined only here, and a test pins it."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import msgspec

from gateway.exchange import Inherits, PipelineStep, Policy, Route
from gateway.lifecycle import NONE, ApiLifecycles, check_subscriptions
from gateway.pages import PageSettings, check_pages
from gateway.plans import Consumer, Name, Plan
from gateway.plans.consumer_directory import ConsumerDirectory
from gateway.policies.account import AccountPolicy, AccountSettings
from gateway.policies.answer import AnswerPolicy, AnswerSettings
from gateway.policies.authorisation import Authorisation
from gateway.policies.cache import AnswerCache, CacheSettings
from gateway.policies.contract import ContractPolicy, ContractSettings
from gateway.policies.cors import Cors, CorsSettings
from gateway.policies.hop import Hop, HopSettings
from gateway.policies.idempotency_key import IdempotencyKey, IdempotencyKeySettings
from gateway.policies.identity import (
    Authorize,
    CredentialVerifiers,
    IdentityPolicy,
    IdentitySettings,
    no_verifiers,
)
from gateway.policies.load_shedding import LoadShedding, LoadSheddingSettings
from gateway.policies.rate_limit import Allowances, RateLimit, RateLimitSettings
from gateway.policies.route import RouteTable
from gateway.policies.source_limit import SourceLimit, SourceLimitSettings
from gateway.policies.subscription import Judge, Subscription
from gateway.policies.wire import Wire, WireSettings
from gateway.streams import OpenStreams
from gateway.well_known import SecurityTxtSettings
from kit.database import Database
from kit.settings import SettingsError


class GatewaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of every policy; optional policies are off unless configured.

    `plans` are the terms on which APIs are called; several policies use them, each independently. `pages` are
    the page bundles. `security_txt` says at /.well-known/security.txt who hears of a weakness.
    """

    plans: dict[str, Plan] = {}
    pages: dict[Name, PageSettings] = {}
    security_txt: SecurityTxtSettings | None = None
    account: AccountSettings = AccountSettings()
    answer: AnswerSettings = AnswerSettings()
    wire: WireSettings = WireSettings()
    cors: CorsSettings | None = None
    source_limit: SourceLimitSettings | None = None
    identity: IdentitySettings = IdentitySettings()
    load_shedding: LoadSheddingSettings | None = None
    rate_limit: RateLimitSettings = RateLimitSettings()
    contract: ContractSettings = ContractSettings()
    idempotency_key: IdempotencyKeySettings = IdempotencyKeySettings()
    cache: CacheSettings = CacheSettings()
    hop: HopSettings = HopSettings()

    def __post_init__(self) -> None:
        embedded = {""} if self.identity.embedded_issuer else set[str]()
        check_pages(self.pages, {one.issuer for one in self.identity.issuers} | embedded)


@dataclass(frozen=True, slots=True)
class BeforeRoute:
    """The policies around every request, outermost first; after them the route is looked up."""

    account: AccountPolicy
    answer: Policy
    wire: Policy


@dataclass(frozen=True, slots=True)
class AfterRoute:
    """The policies around one route, in the order in which they handle a request."""

    cors: Policy
    source_limit: Policy
    identity: IdentityPolicy
    authorisation: Policy
    subscription: Policy
    load_shedding: Policy
    rate_limit: Policy
    contract: Policy
    idempotency_key: Policy
    cache: AnswerCache
    hop: Policy


ORDER = (
    *(field.name for field in fields(BeforeRoute)),
    "route",
    *(field.name for field in fields(AfterRoute)),
)


@dataclass(frozen=True, slots=True)
class PolicyDependencies:
    """What policies need beside their settings: consumers, verifiers and stores of state.

    `scopes` are all scopes of the operations; `judge` returns why the duties refuse a consumer.
    """

    consumers: Mapping[str, Consumer]
    directory: ConsumerDirectory
    allowances: Allowances
    scopes: tuple[str, ...]
    verifiers: CredentialVerifiers
    resource_metadata: str
    database: Database | None
    lifecycles: ApiLifecycles | None = None
    authorize: Authorize | None = None
    streams: OpenStreams = dataclasses.field(default_factory=OpenStreams)
    judge: Judge = lambda _name, _consumer: []


def before_route(
    settings: GatewaySettings, account: AccountPolicy, lifecycles: ApiLifecycles = NONE
) -> BeforeRoute:
    """The policies for every request before its route is known; `account` survives a policy change."""
    return BeforeRoute(
        account=account,
        answer=AnswerPolicy(settings.answer, lifecycles, Cors(settings.cors).mark),
        wire=Wire(settings.wire),
    )


def after_route(settings: GatewaySettings, dependencies: PolicyDependencies) -> AfterRoute:
    """The policies for a request on its route; raises SettingsError when they are inconsistent."""
    check_subscriptions(dependencies.lifecycles or NONE, dependencies.consumers)
    return AfterRoute(
        cors=Cors(settings.cors),
        source_limit=SourceLimit(settings.source_limit),
        identity=IdentityPolicy(
            settings.identity,
            dependencies.verifiers,
            dependencies.consumers,
            dependencies.scopes,
            dependencies.resource_metadata,
            dependencies.authorize,
        ),
        authorisation=Authorisation(dependencies.resource_metadata),
        subscription=Subscription(
            settings.plans,
            dependencies.consumers,
            dependencies.directory,
            dependencies.judge,
        ),
        load_shedding=LoadShedding(settings.load_shedding),
        rate_limit=RateLimit(
            settings.rate_limit, settings.plans, dependencies.directory, dependencies.allowances
        ),
        contract=ContractPolicy(settings.contract, dependencies.lifecycles or NONE),
        idempotency_key=IdempotencyKey(settings.idempotency_key, dependencies.database),
        cache=AnswerCache(settings.cache),
        hop=Hop(settings.hop, dependencies.streams),
    )


def validate(settings: GatewaySettings, consumers: Mapping[str, Consumer], lifecycles: ApiLifecycles) -> None:
    """Raise SettingsError when settings, consumers and lifecycles are inconsistent."""
    if not settings.identity.believes_any:
        advice = (
            "name your identity provider under identity.issuers (for development: embedded_issuer = true)"
        )
        raise SettingsError([f"identity: no credential is accepted: {advice}"])
    alone = Allowances(None, None, 1)
    after_route(
        settings,
        PolicyDependencies(
            consumers,
            ConsumerDirectory(None),
            alone,
            (),
            no_verifiers(),
            "",
            database=None,
            lifecycles=lifecycles,
        ),
    )


def in_order(before: BeforeRoute, table: RouteTable, after: AfterRoute) -> dict[str, Policy | RouteTable]:
    """The policies by name, in the order in which they handle a request, with the route table.

    Raises TypeError for an object that does not implement `Policy`.
    """
    policies = {**_by_name(before), "route": table, **_by_name(after)}
    if invalid := [name for name, one in policies.items() if not isinstance(one, Policy | RouteTable)]:
        raise TypeError(f"{', '.join(invalid)}: a policy wraps a step and explains itself")
    return policies


def _by_name(policies: BeforeRoute | AfterRoute) -> dict[str, Policy]:
    return {field.name: getattr(policies, field.name) for field in fields(policies)}


def succeed(old: AfterRoute, new: AfterRoute) -> None:
    """Pass on the state that survives a change of policy; called in the event loop, just before."""
    for field in fields(new):
        policy = getattr(new, field.name)
        if isinstance(policy, Inherits):
            policy.inherit(getattr(old, field.name))


def inside(
    settings: GatewaySettings, before: BeforeRoute, after: AfterRoute, lifecycles: ApiLifecycles = NONE
) -> tuple[BeforeRoute, AfterRoute]:
    """The same policies for the internal listener, which has other host names and no browser as a caller."""
    wire = Wire(msgspec.structs.replace(settings.wire, hosts=()))
    answer = AnswerPolicy(settings.answer, lifecycles)
    return replace(before, answer=answer, wire=wire), replace(
        after, cors=Cors(None), source_limit=SourceLimit(None)
    )


def build(before: BeforeRoute, table: RouteTable, after: AfterRoute) -> PipelineStep:
    """The whole pipeline as one step: each route has its own stack, built once.

    Raises ValueError for a route that is neither an operation of an API nor an open address, since no policy
    would protect it.
    """
    if unprotected := [
        route.name for route in table.routes if (route.api is None) != (route.operation is None)
    ]:
        raise ValueError(f"no policy fits {', '.join(unprotected)}")
    table.compose(lambda route: _stack(after, route, route.target))
    return _stack(before, None, table.follow())


def _stack(policies: BeforeRoute | AfterRoute, route: Route | None, step: PipelineStep) -> PipelineStep:
    for policy in reversed(_by_name(policies).values()):
        step = policy.wrap(route, step)
    return step
