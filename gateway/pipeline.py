"""The pipeline: every policy in its place. Order exists here and nowhere else, and a test pins it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

import msgspec

from gateway.exchange import Inherits, Policy, Route, Step
from gateway.plans import Consumer
from gateway.plans.roster import Roster
from gateway.policies.account import Account
from gateway.policies.account import Settings as AccountSettings
from gateway.policies.answer import Answer
from gateway.policies.answer import Settings as AnswerSettings
from gateway.policies.authorisation import Authorisation
from gateway.policies.cache import AnswerCache
from gateway.policies.cache import Settings as CacheSettings
from gateway.policies.contract import Contract
from gateway.policies.contract import Settings as ContractSettings
from gateway.policies.cors import Cors
from gateway.policies.cors import Settings as CorsSettings
from gateway.policies.hop import Hop
from gateway.policies.hop import Settings as HopSettings
from gateway.policies.idempotency_key import IdempotencyKey
from gateway.policies.idempotency_key import Settings as IdempotencyKeySettings
from gateway.policies.identity import Identity, Witnesses, nobody
from gateway.policies.identity import Settings as IdentitySettings
from gateway.policies.load_shedding import LoadShedding
from gateway.policies.load_shedding import Settings as LoadSheddingSettings
from gateway.policies.rate_limit import Allowances, RateLimit
from gateway.policies.rate_limit import Settings as RateLimitSettings
from gateway.policies.route import RouteTable
from gateway.policies.source_limit import Settings as SourceLimitSettings
from gateway.policies.source_limit import SourceLimit
from gateway.policies.subscription import Judge, Subscription
from gateway.policies.wire import Settings as WireSettings
from gateway.policies.wire import Wire
from gateway.versions import NONE, Standings, refuse_cut_off
from kit.database import Database
from kit.settings import SettingsError


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of every policy; those that may be absent are absent unless configured."""

    account: AccountSettings = AccountSettings()
    answer: AnswerSettings = AnswerSettings()
    wire: WireSettings = WireSettings()
    cors: CorsSettings | None = None
    source_limit: SourceLimitSettings | None = None
    identity: IdentitySettings = IdentitySettings()
    load_shedding: LoadSheddingSettings | None = None
    rate_limit: RateLimitSettings | None = None
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
class Surroundings:
    """What policies need beside their settings: who is known, who vouches, and where state is kept.

    `scopes` are all that any operation may ask for; `judge` tells whom the duties do not let in.
    """

    consumers: Mapping[str, Consumer]
    roster: Roster
    allowances: Allowances
    scopes: tuple[str, ...]
    witnesses: Witnesses
    resource_metadata: str
    database: Database | None
    standings: Standings | None = None
    judge: Judge = lambda _name, _consumer: []


def before_route(settings: Settings, account: Account, standings: Standings = NONE) -> BeforeRoute:
    """The policies that every request meets before its route is known; what `account` noted stays noted."""
    return BeforeRoute(
        account=account,
        answer=Answer(settings.answer, standings),
        wire=Wire(settings.wire),
    )


def after_route(settings: Settings, around: Surroundings) -> AfterRoute:
    """The policies that a request meets on its route; raises SettingsError where they do not fit."""
    refuse_cut_off(around.standings or NONE, around.consumers)
    return AfterRoute(
        cors=Cors(settings.cors),
        source_limit=SourceLimit(settings.source_limit),
        identity=Identity(
            settings.identity, around.witnesses, around.consumers, around.scopes, around.resource_metadata
        ),
        authorisation=Authorisation(around.resource_metadata),
        subscription=Subscription(
            settings.rate_limit.plans if settings.rate_limit else None,
            around.consumers,
            around.roster,
            around.judge,
        ),
        load_shedding=LoadShedding(settings.load_shedding),
        rate_limit=RateLimit(settings.rate_limit, around.roster, around.allowances),
        contract=Contract(settings.contract, around.standings or NONE),
        idempotency_key=IdempotencyKey(settings.idempotency_key, around.database),
        cache=AnswerCache(settings.cache),
        hop=Hop(settings.hop),
    )


def refuse_unfit(settings: Settings, consumers: Mapping[str, Consumer], standings: Standings) -> None:
    """Raises SettingsError where settings, consumers and the versions' standings do not fit together."""
    if not settings.identity.believes_any:
        said = "name your identity provider under identity.issuers (for development: embedded_issuer = true)"
        raise SettingsError([f"identity: no credential is believed: {said}"])
    alone = Allowances(None, None, 1)
    after_route(
        settings,
        Surroundings(consumers, Roster(None), alone, (), nobody(), "", database=None, standings=standings),
    )


def in_order(before: BeforeRoute, after: AfterRoute) -> dict[str, object]:
    """The policies by name, in the order in which a request meets them; the route's place is None."""
    return {name: getattr(before, name, None) or getattr(after, name, None) for name in ORDER}


def succeed(old: AfterRoute, new: AfterRoute) -> None:
    """Hand on what must survive a change of policy; called where requests run, just before the change."""
    for field in fields(new):
        policy = getattr(new, field.name)
        if isinstance(policy, Inherits):
            policy.inherit(getattr(old, field.name))


def inside(settings: Settings, before: BeforeRoute, after: AfterRoute) -> tuple[BeforeRoute, AfterRoute]:
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
    for field in reversed(fields(policies)):
        step = getattr(policies, field.name).around(route, step)
    return step
