"""The pipeline: every policy in its place. Order exists here and nowhere else, and a test pins it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import msgspec

from gateway.exchange import Inherits, Policy, Route, Step
from gateway.lifecycle import NONE, ApiLifecycles, check_subscriptions
from gateway.plans import Consumer, Plan
from gateway.plans.consumer_directory import ConsumerDirectory
from gateway.policies.account import Account, AccountSettings
from gateway.policies.answer import Answer, AnswerSettings
from gateway.policies.authorisation import Authorisation
from gateway.policies.cache import AnswerCache, CacheSettings
from gateway.policies.contract import Contract, ContractSettings
from gateway.policies.cors import Cors, CorsSettings
from gateway.policies.hop import Hop, HopSettings
from gateway.policies.idempotency_key import IdempotencyKey, IdempotencyKeySettings
from gateway.policies.identity import CredentialVerifiers, Identity, IdentitySettings, no_verifiers
from gateway.policies.load_shedding import LoadShedding, LoadSheddingSettings
from gateway.policies.rate_limit import Allowances, RateLimit, RateLimitSettings
from gateway.policies.route import RouteTable
from gateway.policies.source_limit import SourceLimit, SourceLimitSettings
from gateway.policies.subscription import Judge, Subscription
from gateway.policies.wire import Wire, WireSettings
from kit.database import Database
from kit.settings import SettingsError


class GatewaySettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of every policy; those that may be absent are absent unless configured.

    `plans` are the terms on which APIs are called: several policies go by them, and none of them needs
    another to be configured.
    """

    plans: dict[str, Plan] = {}
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


@dataclass(frozen=True, slots=True)
class BeforeRoute:
    """The policies around every request, outermost first; after them the route is looked up."""

    account: Account
    answer: Policy
    wire: Policy


@dataclass(frozen=True, slots=True)
class AfterRoute:
    """The policies around one route, in the order in which a request meets them."""

    cors: Policy
    source_limit: Policy
    identity: Identity
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
    """What policies need beside their settings: who is known, who vouches, and where state is kept.

    `scopes` are all that any operation may ask for; `judge` tells whom the duties do not let in.
    """

    consumers: Mapping[str, Consumer]
    directory: ConsumerDirectory
    allowances: Allowances
    scopes: tuple[str, ...]
    verifiers: CredentialVerifiers
    resource_metadata: str
    database: Database | None
    lifecycles: ApiLifecycles | None = None
    judge: Judge = lambda _name, _consumer: []


def before_route(
    settings: GatewaySettings, account: Account, lifecycles: ApiLifecycles = NONE
) -> BeforeRoute:
    """The policies that every request meets before its route is known; what `account` noted stays noted."""
    return BeforeRoute(
        account=account,
        answer=Answer(settings.answer, lifecycles),
        wire=Wire(settings.wire),
    )


def after_route(settings: GatewaySettings, dependencies: PolicyDependencies) -> AfterRoute:
    """The policies that a request meets on its route; raises SettingsError where they do not fit."""
    check_subscriptions(dependencies.lifecycles or NONE, dependencies.consumers)
    return AfterRoute(
        cors=Cors(settings.cors),
        source_limit=SourceLimit(settings.source_limit),
        identity=Identity(
            settings.identity,
            dependencies.verifiers,
            dependencies.consumers,
            dependencies.scopes,
            dependencies.resource_metadata,
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
        contract=Contract(settings.contract, dependencies.lifecycles or NONE),
        idempotency_key=IdempotencyKey(settings.idempotency_key, dependencies.database),
        cache=AnswerCache(settings.cache),
        hop=Hop(settings.hop),
    )


def validate(settings: GatewaySettings, consumers: Mapping[str, Consumer], lifecycles: ApiLifecycles) -> None:
    """Raises SettingsError where settings, consumers and the versions' standings do not fit together."""
    if not settings.identity.believes_any:
        said = "name your identity provider under identity.issuers (for development: embedded_issuer = true)"
        raise SettingsError([f"identity: no credential is believed: {said}"])
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
    """The policies by name, in the order in which a request meets them, with the routes in their place.

    Raises TypeError for one that does not say what it does.
    """
    found = {**_by_name(before), "route": table, **_by_name(after)}
    if silent := [name for name, one in found.items() if not isinstance(one, Policy | RouteTable)]:
        raise TypeError(f"{', '.join(silent)}: a policy wraps a step and explains itself")
    return found


def _by_name(policies: BeforeRoute | AfterRoute) -> dict[str, Policy]:
    return {field.name: getattr(policies, field.name) for field in fields(policies)}


def succeed(old: AfterRoute, new: AfterRoute) -> None:
    """Hand on what must survive a change of policy; called where requests run, just before the change."""
    for field in fields(new):
        policy = getattr(new, field.name)
        if isinstance(policy, Inherits):
            policy.inherit(getattr(old, field.name))


def inside(
    settings: GatewaySettings, before: BeforeRoute, after: AfterRoute
) -> tuple[BeforeRoute, AfterRoute]:
    """The same policies for the internal listener, which goes by other names and no browser's page calls."""
    wire = Wire(msgspec.structs.replace(settings.wire, hosts=()))
    return replace(before, wire=wire), replace(after, cors=Cors(None), source_limit=SourceLimit(None))


def build(before: BeforeRoute, table: RouteTable, after: AfterRoute) -> Step:
    """The whole pipeline as one step: each route has its own stack, made once.

    Raises ValueError for a route that is neither an operation of an API nor an open address: what no policy
    was made for is not served.
    """
    if halves := [route.name for route in table.routes if (route.api is None) != (route.operation is None)]:
        raise ValueError(f"no policy fits {', '.join(halves)}")
    table.compose(lambda route: _stack(after, route, route.target))
    return _stack(before, None, table.follow())


def _stack(policies: BeforeRoute | AfterRoute, route: Route | None, step: Step) -> Step:
    for policy in reversed(_by_name(policies).values()):
        step = policy.wrap(route, step)
    return step
