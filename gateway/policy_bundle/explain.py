"""Policy explain: which rules a request would meet, in order, and how that ends."""

import asyncio
import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from contracts.admin.policy import Explanation, RuleThatApplies
from contracts.problems import InvalidToken, Problem
from gateway.exchange import Asked, Exchange, Explains, Policy, Reply, Route, Rule
from gateway.plans import Consumer, grants, row_claims
from gateway.policies.route import Mounted, RouteTable
from gateway.policy_bundle import PolicyBundle
from kit.context import Caller

ALLOWED = "allowed"


async def explain(
    bundle: PolicyBundle,
    consumers: Mapping[str, Consumer],
    table: RouteTable,
    policies: Mapping[str, object],
    *,
    method: str,
    path: str,
    name: str,
    person: str = "",
) -> Explanation:
    """How a request of a consumer (and a person behind it) would fare, told by the policies themselves.

    `policies` are those of the pipeline by name, in order. What they decide by method, path, query and caller
    is decided here by the same code and in the same order; what depends on headers, on the body, or on how
    often somebody came, is told and not judged.
    """
    probe = _probe(bundle, method, path)
    judge = "wire"
    try:
        await _pass(policies, judge, None, probe)
        judge = "route"
        _, route, parameters = table.find(method, probe.path)
    except Problem as refusal:
        source = "contracts" if judge == "route" else bundle.source("gateway.toml", judge)
        rule = RuleThatApplies(policy=judge, says=refusal.detail, source=source, refuses=refusal.status)
        return _explanation(bundle, [rule], refusal, method=method, path=path, consumer=name, person=person)
    asked = Asked(route, name, consumers.get(name))
    probe.route, probe.path_parameters, probe.consumer = route, parameters, asked.consumer
    judge, place_of_judge, verdict = await _verdict(policies, asked, probe, person)
    place = _declared(table.apis, route)
    rules = [
        RuleThatApplies(policy=policy, says=rule.says, source=_source(bundle, rule, place))
        for policy, rule in _rules(policies, asked)
    ]
    if verdict is not None:
        last = max((index for index, rule in enumerate(rules) if rule.policy == place_of_judge), default=0)
        refusing = RuleThatApplies(policy=judge, says=verdict.detail, source=place, refuses=verdict.status)
        rules = [*rules[: last + 1], refusing]
    return _explanation(
        bundle, rules, verdict, method=method, path=path, consumer=name, person=person, route=route
    )


def _rules(policies: Mapping[str, object], asked: Asked) -> Iterable[tuple[str, Rule]]:
    for name, policy in policies.items():
        if name == "route":
            operation = asked.route.operation
            yield name, Rule(operation.summary if operation else "an address of the gateway's own", file="")
        elif isinstance(policy, Explains):
            for rule in policy.explain(asked):
                yield name, rule


def _source(bundle: PolicyBundle, rule: Rule, declared: str) -> str:
    return bundle.source(rule.file, rule.place) if rule.file else declared


def _explanation(
    bundle: PolicyBundle,
    rules: list[RuleThatApplies],
    refusal: Problem | None,
    *,
    method: str,
    path: str,
    consumer: str,
    person: str,
    route: Route | None = None,
) -> Explanation:
    return Explanation(
        method=method,
        path=path,
        consumer=consumer,
        person=person,
        operation=route.name if route else "",
        digest=bundle.digest,
        rules=tuple(rules),
        verdict=refusal.code if refusal else ALLOWED,
        status=refusal.status if refusal else None,
    )


async def _verdict(
    policies: Mapping[str, object], asked: Asked, probe: Exchange, person: str
) -> tuple[str, str, Problem | None]:
    """Which policy would refuse, in whose place, and what it would raise; None where none of them would."""
    route = asked.route
    if route.operation is None:
        return "", "", None
    if asked.consumer is None:
        unknown = InvalidToken("The token was given to a consumer that is not known here")
        return "identity", "identity", unknown
    probe.caller = _caller(asked.name, asked.consumer, route, person)
    judge = place = ""
    try:
        for judge in ("authorisation", "subscription"):
            place = judge
            await _pass(policies, judge, route, probe)
        check_rows, probe.check_rows = probe.check_rows, None
        judge = place = "contract"
        await _pass(policies, judge, _bare(route), probe)
        judge = "authorisation"  # which made the check that contract calls
        judged = all(rule.source == "path" for rule in route.operation.rows)
        if check_rows is not None and judged:
            check_rows(probe.caller, probe.path_parameters, {}, {})
    except Problem as refusal:
        return judge, place, refusal
    return "", "", None


async def _pass(policies: Mapping[str, object], name: str, route: Route | None, probe: Exchange) -> None:
    """Let the probe by a policy; raises what that refuses it with."""
    policy = policies[name]
    if isinstance(policy, Policy):
        with contextlib.suppress(_LetByError):
            await policy.wrap(route, _arrive)(probe)


def _bare(route: Route) -> Route:
    """The operation as if it took neither headers nor a body."""
    parameters = [item for item in route.shape.get("parameters", ()) if item["in"] in ("path", "query")]
    return replace(route, method="GET", shape={"parameters": parameters})


def _caller(name: str, consumer: Consumer, route: Route, person: str) -> Caller:
    """The caller whom a token with all that was granted makes."""
    granted = grants(consumer.scopes, route.scope)
    return Caller(
        subject=person or name,
        consumer=name,
        scopes=frozenset({route.scope} if granted else ()),
        roles=frozenset(consumer.roles),
        claims=row_claims(consumer, {"sub": person or name, "client_id": name}),
        outside=consumer.outside,
    )


class _LetByError(Exception):
    """The probe was let by: there is no answer that could be looked at."""


async def _arrive(_: Exchange) -> Reply:
    raise _LetByError


async def _nothing() -> Any:
    await asyncio.Event().wait()


def _probe(bundle: PolicyBundle, method: str, address: str) -> Exchange:
    """A request that has an address under one of our names, and nothing else."""
    path, _, query = address.partition("?")
    host = next(iter(bundle.settings.wire.hosts), "localhost")
    scope = {
        "type": "http",
        "method": method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", host.encode())],
    }
    return Exchange(scope, _nothing)


def _declared(apis: Iterable[Mounted], route: Route) -> str:
    """The file and line of the operation's declaration; the gateway itself for its open addresses."""
    method = route.name.rpartition(".")[2]
    for mounted in apis:
        if mounted.api is route.api:
            for kind in mounted.interface.__mro__:
                if method in vars(kind):
                    file = Path(*kind.__module__.split(".")).with_suffix(".py")
                    return f"{file}:{vars(kind)[method].__code__.co_firstlineno}"
    return "gateway/app.py"
