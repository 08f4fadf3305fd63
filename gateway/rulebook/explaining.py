"""Explaining: which rules a request would meet, in the order in which it meets them, and how that ends."""

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from contracts.admin.policy import Explanation, RuleThatApplies
from contracts.problems import InvalidToken, Problem
from gateway.exchange import Asked, Exchange, Explains, Policy, Reply, Route, Rule
from gateway.plans import Consumer, grants, row_claims
from gateway.policies.route import Mounted, RouteTable
from gateway.rulebook import Rulebook
from kit.context import Caller

ALLOWED = "allowed"
_JUDGES = ("authorisation", "subscription")


async def explain(
    rulebook: Rulebook,
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

    `policies` are those of the pipeline by name, in order. What identity, authorisation and subscription
    decide is decided here by the same code; what depends on the body, or on how often somebody came, is told
    and not judged.
    """
    consumer = consumers.get(name)
    try:
        _, route, parameters = table.find(method, path.partition("?")[0])
    except Problem as refusal:
        rule = RuleThatApplies(
            policy="route", says=refusal.detail, source="contracts", refuses=refusal.status
        )
        return _explanation(rulebook, [rule], refusal, method=method, path=path, consumer=name, person=person)
    asked = Asked(route, name, consumer)
    judge, verdict = await _verdict(policies, asked, parameters, person)
    place = _declared(table.apis, route)
    rules = [
        RuleThatApplies(policy=policy, says=rule.says, source=_source(rulebook, rule, place))
        for policy, rule in _rules(policies, asked)
    ]
    if verdict is not None:
        last = max((index for index, rule in enumerate(rules) if rule.policy == judge), default=0)
        refusing = RuleThatApplies(policy=judge, says=verdict.detail, source=place, refuses=verdict.status)
        rules = [*rules[: last + 1], refusing]
    return _explanation(
        rulebook, rules, verdict, method=method, path=path, consumer=name, person=person, route=route
    )


def _rules(policies: Mapping[str, object], asked: Asked) -> Iterable[tuple[str, Rule]]:
    for name, policy in policies.items():
        if name == "route":
            operation = asked.route.operation
            yield name, Rule(operation.summary if operation else "an address of the gateway's own", file="")
        elif isinstance(policy, Explains):
            for rule in policy.explain(asked):
                yield name, rule


def _source(rulebook: Rulebook, rule: Rule, declared: str) -> str:
    return rulebook.source(rule.file, rule.place) if rule.file else declared


def _explanation(
    rulebook: Rulebook,
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
        digest=rulebook.digest,
        rules=tuple(rules),
        verdict=refusal.code if refusal else ALLOWED,
        status=refusal.status if refusal else None,
    )


async def _verdict(
    policies: Mapping[str, object], asked: Asked, parameters: dict[str, str], person: str
) -> tuple[str, Problem | None]:
    """Which policy would refuse, and what it would raise; None where all of _JUDGES let the request by."""
    if asked.route.operation is None:
        return "", None
    if asked.consumer is None:
        return "identity", InvalidToken("The token was given to a consumer that is not known here")
    probe = Exchange(_scope(asked.route.method), _nothing)
    probe.route, probe.path_parameters, probe.consumer = asked.route, parameters, asked.consumer
    probe.caller = _caller(asked.name, asked.consumer, asked.route, person)
    judge = ""
    try:
        for judge in _JUDGES:
            policy = policies[judge]
            if isinstance(policy, Policy):
                await policy.around(asked.route, _arrive)(probe)
        judge = "authorisation"  # which made the check that contract calls
        judged = all(rule.source == "path" for rule in _rows(asked.route))
        if probe.check_rows is not None and probe.caller is not None and judged:
            probe.check_rows(probe.caller, parameters, {}, {})
    except Problem as refusal:
        return judge, refusal
    return "", None


def _rows(route: Route) -> Iterable[Any]:
    return route.operation.rows if route.operation else ()


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


async def _arrive(_: Exchange) -> Reply:
    return Reply(200, [])


async def _nothing() -> Any:
    await asyncio.Event().wait()


def _scope(method: str) -> dict[str, Any]:
    return {"type": "http", "method": method, "path": "/", "query_string": b"", "headers": []}


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
