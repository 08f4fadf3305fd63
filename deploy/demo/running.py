"""deploy/demo: one run of the demo on a running stack, from the deal to the verdict."""

from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.console import Paper, styled
from deploy.demo.cast import SALES, cast_with
from deploy.demo.checks import Stage, read_back
from deploy.demo.consoles import open_consoles
from deploy.demo.scenario import Scenario
from deploy.demo.tables import show
from deploy.people import Person
from deploy.process.stack import Stack
from gateway.identity import DevelopmentIssuer

_TIMEOUT_SECONDS = 30
FINANCE, OPERATIONS = "finance-desk", "operations"
PERSONAS = {SALES: "sofia.marsh", FINANCE: "fiona.finance", OPERATIONS: "omar.ops"}


@dataclass(frozen=True)
class Outcome:
    """Whether every check at the vendors passed, and the deal's id."""

    passed: bool
    opportunity_id: str


async def run_demo(stack: Stack, issuer: DevelopmentIssuer, console: Paper) -> Outcome:
    """Run the demo, read the vendors back and print the results; raises CommandError."""
    async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_SECONDS) as http:
        cast = cast_with(Path(stack.config), open_consoles(stack.sandboxes, http))
        people = {
            consumer: Person(subject, stack.gateway, issuer.mint(consumer, subject=subject), http)
            for consumer, subject in PERSONAS.items()
        }
        scenario = Scenario(
            crm=cast.crm,
            sales=people[SALES],
            finance=people[FINANCE],
            operations=people[OPERATIONS],
            say=lambda at, line: console.print(styled(f"{at} ", "dim"), line, soft_wrap=True),
        )
        deal, activation, request = await scenario.run()
        stage = Stage(deal, cast.crm.instance, activation, request)
        checks = await read_back(cast, stage, Path(stack.config))
    show(console, stage, checks)
    wrong = [check for check in checks if not check.ok]
    if wrong:
        console.print(styled(f"{len(wrong)} of {len(checks)} checks failed.", "red"))
    return Outcome(not wrong, deal.id)
