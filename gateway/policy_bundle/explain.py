"""Policy explain: which rules would apply to a request, in order, and with which outcome."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from contracts.admin.policy import Explanation, RuleThatApplies
from contracts.problems import Problem
from gateway.exchange import Asked, Exchange, Judges, Policy, Route
from gateway.plans import Consumer
from gateway.policies.route import RouteTable
from gateway.policy_bundle import PolicyBundle
from kit.context import Caller

ALLOWED = "allowed"
Policies = Mapping[str, Policy | RouteTable]
"""The policies by name and in order, with the route table."""


@dataclass(frozen=True, slots=True)
class PolicyQuestion:
    """A request of a consumer, and of the person behind it if there is one."""

    method: str
    path: str
    consumer: str
    person: str = ""


async def explain(
    bundle: PolicyBundle, consumers: Mapping[str, Consumer], policies: Policies, question: PolicyQuestion
) -> Explanation:
    """The outcome of a request, as the policies themselves explain and judge it.

    Decisions by method, path, query and caller are made here by the same code and in the same order; what
    depends on headers, on the body or on a count is explained and not judged.
    """
    return await _Walk(bundle, policies, question).explanation(consumers.get(question.consumer))


class _Walk:
    """Runs a probe through the policies until one refuses it."""

    def __init__(self, bundle: PolicyBundle, policies: Policies, question: PolicyQuestion) -> None:
        self._bundle = bundle
        self._policies = policies
        self._question = question
        self._probe = _probe(bundle, question)
        self._rules: list[RuleThatApplies] = []
        self._refusal: Problem | None = None
        self._asked: Asked | None = None
        self._judge = ""

    async def explanation(self, consumer: Consumer | None) -> Explanation:
        """The explanation, whether the probe is refused or not."""
        if await self._find_route():
            route = self._probe.route
            if route is not None:
                question = self._question
                self._asked = Asked(route, question.consumer, consumer, question.person)
                await self._meet(self._asked, _declared(self._policies, route))
        return self._explanation()

    async def _find_route(self) -> bool:
        """Run the policies before the route table, and it: no other rule is known without a route."""
        for name, policy in self._policies.items():
            if not await self._judged(name, policy):
                by_table = isinstance(policy, RouteTable)
                self._refused("contracts" if by_table else self._bundle.source("gateway.toml", name))
                return False
            if self._probe.route is not None:
                return True
        return False

    async def _meet(self, asked: Asked, declared: str) -> None:
        """Collect the rules of every policy in order, and after the route also its decision."""
        past_route = False
        for name, policy in self._policies.items():
            for rule in policy.explain(asked):
                source = self._bundle.source(rule.file, rule.place) if rule.file else declared
                self._rules.append(RuleThatApplies(policy=name, says=rule.says, source=source))
            if past_route and not await self._judged(name, policy):
                self._refused(declared)
                return
            past_route = past_route or isinstance(policy, RouteTable)

    async def _judged(self, name: str, policy: Policy | RouteTable) -> bool:
        """Whether a policy admits the probe; a check that it defers is attributed to it."""
        if not isinstance(policy, Judges):
            return True
        self._judge, left = name, self._probe.check_rows
        try:
            await policy.judge(self._probe, self._asked)
        except Problem as refusal:
            self._refusal = refusal
            return False
        if self._probe.check_rows not in (None, left):
            self._probe.check_rows = self._of(name, self._probe.check_rows)
        return True

    def _of(self, name: str, check: Callable[[Caller, Any, Any, Any], None] | None) -> Any:
        def checked(*what: Any) -> None:
            self._judge = name
            if check is not None:
                check(*what)

        return checked

    def _refused(self, source: str) -> None:
        refusal = self._refusal
        if refusal is not None:
            self._rules.append(
                RuleThatApplies(
                    policy=self._judge, says=refusal.detail, source=source, refuses=refusal.status
                )
            )

    def _explanation(self) -> Explanation:
        question, refusal = self._question, self._refusal
        return Explanation(
            method=question.method,
            path=question.path,
            consumer=question.consumer,
            person=question.person,
            operation=self._asked.route.name if self._asked else "",
            digest=self._bundle.digest,
            rules=tuple(self._rules),
            verdict=refusal.code if refusal else ALLOWED,
            status=refusal.status if refusal else None,
        )


async def _nothing() -> Any:
    await asyncio.Event().wait()


def _probe(bundle: PolicyBundle, question: PolicyQuestion) -> Exchange:
    """A request with an address under a configured host, and nothing else."""
    path, _, query = question.path.partition("?")
    host = next(iter(bundle.settings.wire.hosts), "localhost")
    scope = {
        "type": "http",
        "method": question.method,
        "path": unquote(path),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", host.encode())],
    }
    return Exchange(scope, _nothing)


def _declared(policies: Policies, route: Route) -> str:
    """The file and line of the operation's declaration; the module of the open addresses for those."""
    method = route.name.rpartition(".")[2]
    mounted = (one for table in policies.values() if isinstance(table, RouteTable) for one in table.apis)
    for one in mounted:
        if one.api is route.api:
            for kind in one.interface.__mro__:
                if method in vars(kind):
                    file = Path(*kind.__module__.split(".")).with_suffix(".py")
                    return f"{file}:{vars(kind)[method].__code__.co_firstlineno}"
    return "gateway/open_addresses.py"
