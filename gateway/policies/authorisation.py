"""Authorisation: whether this caller may do this here, by audience, scope, instance and row."""

from collections.abc import Mapping
from typing import Any

from contracts.operation import RowRule
from contracts.problems import AudienceForbidden, Forbidden, InsufficientScope
from gateway.exchange import Exchange, Reply, Route, Step
from kit.context import Caller


class Authorisation:
    """Needs no settings: the operations declare what they ask for, the consumers' file what was granted."""

    def around(self, route: Route | None, onward: Step) -> Step:
        if route is None or route.operation is None or route.api is None:
            return onward
        scope, instance, rows = route.scope, route.instance, route.operation.rows
        outside_may = route.api.tier == "experience" and "outside" in route.api.audiences
        ask = f'Bearer realm="enfilade", error="insufficient_scope", scope="{scope}"'

        async def authorisation(exchange: Exchange) -> Reply:
            caller = exchange.caller
            if caller is None:
                raise Forbidden("Nobody was identified")
            if caller.outside and not outside_may:
                raise AudienceForbidden("Consumers from outside reach experience APIs only")
            if scope not in caller.scopes:
                raise InsufficientScope(
                    f"The operation asks for the scope {scope}",
                    headers={"WWW-Authenticate": ask},
                    extra={"scope": scope},
                )
            if instance:
                _check_instance(caller, instance)
            if rows:
                exchange.check_rows = _row_check(caller, rows)
            return await onward(exchange)

        return authorisation


def _check_instance(caller: Caller, instance: str) -> None:
    bound = caller.claims.get("instance")
    if bound is not None and bound != instance:
        raise Forbidden("The token is bound to another instance")


def _row_check(caller: Caller, rows: tuple[RowRule, ...]) -> Any:
    """A check of the row rules, made here and called once path, query and body are read."""

    def check(path: Mapping[str, Any], query: Mapping[str, Any], body: Any) -> None:
        sources = {"path": path, "query": query, "body": body if isinstance(body, dict) else {}}
        for rule in rows:
            claim = caller.claims.get(rule.claim)
            if claim is None:
                if rule.required:
                    raise Forbidden(f"The token lacks the claim {rule.claim}")
            elif sources[rule.source].get(rule.name) not in _options(claim):
                raise Forbidden(f"The token does not cover this {rule.name}")

    return check


def _options(claim: Any) -> tuple[Any, ...]:
    """A claim names one row or several."""
    return tuple(claim) if isinstance(claim, list | tuple) else (claim,)
