"""deploy/demo: the scenario: a deal is won, finance approves, a project is created."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from deploy.demo.cast import Player
from deploy.demo.deal import choose_deal
from deploy.errors import CommandError
from deploy.people import Person
from process_apis.flows.opportunity_to_project.steps import NOT_SETTLED
from sandbox.core.console import Deal

T = TypeVar("T")
Say = Callable[[str, str], None]
"""Prints a line, after the seconds since the deal was won (as text)."""

NOTIFIED_SECONDS = 60.0
DONE_SECONDS = 180.0
_LOOK_EVERY_SECONDS = 0.1
_APPROVED_STATUSES = ("done",)
_STOPPED = ("parked", "undone", "failed", "observed")


class Scenario:
    """One run: the persons' tokens, the vendors' consoles, and the output."""

    def __init__(self, *, crm: Player, sales: Person, finance: Person, operations: Person, say: Say) -> None:
        self._crm = crm
        self._sales = sales
        self._finance = finance
        self._operations = operations
        self._say_line = say
        self._begun = time.monotonic()
        self._printed: set[tuple[str, str]] = set()

    async def run(self) -> tuple[Deal, dict[str, Any], dict[str, Any]]:
        """The deal, its activation at the end, and customer master's request; raises CommandError."""
        deal = await choose_deal(self._crm.console)
        self._begun = time.monotonic()
        self._say(
            f"Sales closes “{deal.name}” in {self._crm.title}: "
            f"{deal.amount:,} {deal.currency}, {deal.customer_name}"
        )
        await self._crm.console.edit_deal(deal.id, stage="won")
        path = f"/experience/crm-ui/v1/opportunities/{deal.id}/activation"
        screen = await self._until(
            "the change notification has started an activation",
            lambda: self._sales.find(path),
            NOTIFIED_SECONDS,
        )
        self._say(
            f"The notification of {self._crm.title} has arrived; correlation id {screen['correlation_id']}"
        )
        await self._until("the project is created", lambda: self._look(path, deal), DONE_SECONDS)
        activation = await self._operations.get(
            f"/process/opportunity-to-project/v1/activations/{screen['id']}"
        )
        request = await self._finance.get(
            f"/process/customer-master/v1/requests/{activation['customer_request_id']}"
        )
        return deal, activation, request

    async def _look(self, path: str, deal: Deal) -> bool:
        """Poll the sales screen once: print new steps, and decide for finance. Returns whether it is done."""
        screen = await self._sales.get(path)
        for step in screen.get("steps", ()):
            self._print_step("", step)
        if screen["status"] in _STOPPED:
            raise CommandError(await self._why(screen))
        if screen["status"] == "waiting":
            await self._approve(deal)
        return screen["status"] in _APPROVED_STATUSES

    async def _approve(self, deal: Deal) -> None:
        """Finance finds the customer in its queue and decides."""
        waiting = await self._finance.get("/process/customer-master/v1/requests", status="waiting")
        for request in waiting["items"]:
            if request["proposal"]["account_id"] == deal.customer_id:
                reasons = " ".join(request.get("needs_approval_because", ()))
                self._say(f"{request.get('legal_name', '')} waits for finance: {reasons}")
                decision = _decision(request)
                await self._finance.post(
                    f"/process/customer-master/v1/requests/{request['id']}/decision", decision
                )
                self._say(f"{self._finance.name} of finance decides: {decision['decision']}")

    async def _why(self, screen: dict[str, Any]) -> str:
        said = f"The activation is {screen['status']}: {screen['status_text']}."
        identity = screen.get("exception_id")
        if not identity:
            return f"{said} Its path: `enfilade trace {screen['correlation_id']}`."
        case = await self._finance.get(f"/process/exceptions/v1/exceptions/{identity}")
        return f"{case['stopped']} {case['why']} {case['what_next']} (`enfilade exceptions show {identity}`)"

    def _print_step(self, indent: str, step: dict[str, Any]) -> None:
        line, known = step_line(step), (step["title"], step["status"])
        if line and known not in self._printed:
            self._printed.add(known)
            self._say(f"{indent}{line}")

    def _say(self, line: str) -> None:
        self._say_line(f"{time.monotonic() - self._begun:5.1f} s", line)

    async def _until(self, what: str, look: Callable[[], Awaitable[T | None]], seconds: float) -> T:
        deadline = time.monotonic() + seconds
        while True:
            result = await look()
            if result:
                return result
            if time.monotonic() > deadline:
                raise CommandError(
                    f"Timed out after {seconds:.0f} s, before {what}: see the log, or run `enfilade doctor`."
                )
            await asyncio.sleep(_LOOK_EVERY_SECONDS)


def step_line(step: dict[str, Any]) -> str:
    """What became of a step; empty while it runs, and for a look that came too early and is repeated."""
    detail = step.get("detail", "")
    if step["status"] == "running" or detail == NOT_SETTLED:
        return ""
    mark = {"done": "✓", "waiting": "…", "failed": "✗"}.get(step["status"], "·")
    return f"{mark} {step['title']}" + (f": {detail}" if detail else "")


def _decision(request: dict[str, Any]) -> dict[str, str]:
    """The decision: merge with the entity's own customer of the same tax number, else approve."""
    entity = request["proposal"]["selling_entity"]
    same = [
        one
        for one in request.get("candidates", ())
        if "same tax number" in one["reasons"] and one["selling_entity"] in (entity, "")
    ]
    if same:
        name = same[0]["legal_name"]
        return {"decision": "merge", "merge_with": same[0]["customer_id"], "comment": f"It is {name}."}
    return {"decision": "approve", "comment": "Rated and insured; the limit is fine."}
