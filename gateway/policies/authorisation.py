"""Authorisation: whether the caller may call the operation, by audience, scope, role, instance and row."""

from collections.abc import Callable, Mapping
from typing import Any

from contracts.operation import RowRule
from contracts.problems import AudienceForbidden, Forbidden, InsufficientScope, RoleRequired
from contracts.rows import DIMENSIONS, name_of, names_of
from gateway.exchange import Asked, Exchange, PipelineStep, Reply, Route, Rule, try_policy
from gateway.identity import Challenges
from gateway.plans import grants
from kit.context import Caller


class Authorisation:
    """Needs no settings: operations declare what they require, the consumers' file what is granted.

    `resource_metadata` is the address in challenges.
    """

    def __init__(self, resource_metadata: str) -> None:
        self._challenges = Challenges(resource_metadata)

    def wrap(self, route: Route | None, call_next: PipelineStep) -> PipelineStep:
        if route is None or route.operation is None or route.api is None:
            return call_next
        api, scope, instance = route.api, route.scope, route.instance
        check_rows = _row_check(route.operation.rows) if route.operation.rows else None
        roles = frozenset(route.operation.roles)
        challenges = self._challenges
        outside_may = api.tier == "experience" and "outside" in api.audiences

        async def authorisation(exchange: Exchange) -> Reply:
            caller = exchange.caller
            if caller is None:
                raise Forbidden("The request has no caller")
            if caller.outside and not outside_may:
                raise AudienceForbidden(f"{api.slug} is open to consumers of the firm only")
            if scope not in caller.scopes:
                raise InsufficientScope(
                    f"The operation requires the scope {scope}",
                    headers=challenges.insufficient(exchange.headers.get(b"authorization", b""), scope),
                    extra={"scope": scope},
                )
            if roles and roles.isdisjoint(caller.roles):
                raise RoleRequired(f"The operation is for the roles {', '.join(sorted(roles))}")
            if instance:
                _check_instance(caller, instance)
            exchange.check_rows = check_rows
            return await call_next(exchange)

        return authorisation

    async def judge(self, probe: Exchange, asked: Asked | None) -> None:
        await try_policy(self, asked.route if asked else None, probe)

    def explain(self, asked: Asked) -> list[Rule]:
        route, consumer = asked.route, asked.consumer
        if route.operation is None or consumer is None:
            return []
        section = f"consumers.{asked.name}"
        rules = [Rule(f"requires the scope {route.scope}", file="")]
        granting = next((one for one in consumer.scopes if grants((one,), route.scope)), None)
        granted = "is not granted" if granting is None else f"is granted by {granting}"
        rules.append(Rule(f"{route.scope} {granted}", f"{section}.scopes", "consumers.toml"))
        if consumer.outside:
            rules.append(
                Rule("from outside: experience APIs that say so only", f"{section}.outside", "consumers.toml")
            )
        if roles := route.operation.roles:
            own_roles = ", ".join(role for role in roles if role in consumer.roles) or "none of them"
            rules.append(
                Rule(f"for {' or '.join(roles)}: has {own_roles}", f"{section}.roles", "consumers.toml")
            )
        if consumer.entities is not None:
            names = ", ".join(consumer.entities) or "none"
            rules.append(Rule(f"bound to the entities: {names}", f"{section}.entities", "consumers.toml"))
        if route.instance and "instance" in consumer.claims:
            bound = consumer.claims["instance"]
            rules.append(
                Rule(f"bound to the instance {bound}", f"{section}.claims.instance", "consumers.toml")
            )
        for rule in route.operation.rows:
            claim = consumer.claims.get(rule.claim)
            bound = f" ({claim})" if claim else ", where the token has it"
            rules.append(Rule(f"{rule.source} {rule.name} must be the token's {rule.claim}{bound}", file=""))
        return rules


def _check_instance(caller: Caller, instance: str) -> None:
    bound = names_of(caller.claims, DIMENSIONS["instance"])
    if bound is not None and instance not in bound:
        raise Forbidden("The token is bound to another instance")
    # The records of a vendor do not name their owner.
    if any(claim in caller.claims for dimension, claim in DIMENSIONS.items() if dimension != "instance"):
        raise Forbidden(
            "A caller that is bound to rows within an instance reaches them through the flows only"
        )


def _row_check(rows: tuple[RowRule, ...]) -> Callable[[Caller, Any, Any, Any], None]:
    """A check of the row rules, for when path, query and body are read and the caller's plan is known."""

    def check(caller: Caller, path: Mapping[str, Any], query: Mapping[str, Any], body: Any) -> None:
        sources = {"path": path, "query": query, "body": body if isinstance(body, dict) else {}}
        for rule in rows:
            names = names_of(caller.claims, rule.claim)
            if names is None:
                if rule.required:
                    raise Forbidden(f"The token lacks the claim {rule.claim}")
            elif name_of(sources[rule.source].get(rule.name)) not in names:
                raise Forbidden(f"The token does not cover this {rule.name}")

    return check
