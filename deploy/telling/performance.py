"""deploy/telling: one performance from the deal to the verdict, against whatever stack runs."""

from dataclasses import dataclass
from pathlib import Path

import httpx

from deploy.console import Paper, styled
from deploy.launching.stack import Stack
from deploy.telling.acts import Telling
from deploy.telling.checks import Stage, read_back
from deploy.telling.people import Person
from deploy.telling.tables import show
from deploy.telling.vendors import Screens
from gateway.identity import DevelopmentIssuer

_INSTANCE = "salesforce-main"
_TIMEOUT_SECONDS = 30
SALES, FINANCE, OPERATIONS = "crm-screen", "finance-desk", "operations"
PERSONAS = {SALES: "sofia.marsh", FINANCE: "fiona.finance", OPERATIONS: "omar.ops"}


@dataclass(frozen=True)
class Outcome:
    """Whether everything held at the vendors, and of which deal."""

    held: bool
    opportunity_id: str


async def perform(stack: Stack, issuer: DevelopmentIssuer, console: Paper) -> Outcome:
    """Play the story, read the vendors back and show it all; raises CommandError."""
    async with httpx.AsyncClient(trust_env=False, timeout=_TIMEOUT_SECONDS) as http:
        screens = {vendor: Screens(vendor, url, http) for vendor, url in stack.sandboxes.items()}
        people = {
            consumer: Person(subject, stack.gateway, issuer.mint(consumer, subject=subject), http)
            for consumer, subject in PERSONAS.items()
        }
        telling = Telling(
            crm=screens["salesforce"],
            sales=people[SALES],
            finance=people[FINANCE],
            operations=people[OPERATIONS],
            say=lambda at, line: console.print(styled(f"{at} ", "dim"), line, soft_wrap=True),
        )
        deal, activation, request = await telling.play()
        stage = Stage(deal, _INSTANCE, activation, request)
        checks = await read_back(screens, stage, Path(stack.config))
    show(console, stage, checks)
    wrong = [check for check in checks if not check.ok]
    if wrong:
        console.print(styled(f"{len(wrong)} of {len(checks)} things are not as they must be.", "red"))
    return Outcome(not wrong, deal.id)
