"""bench: the vendor calls of one activation, counted by the vendors, against the least they can be."""

import asyncio
import io
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec
from sqlalchemy import select

from bench.launching import up
from deploy.cli.tokens import embedded_issuer
from deploy.console import Paper
from deploy.demo.running import run_demo
from kit.database import Database
from kit.database.tables import runs, vendor_calls

_ACCOUNT = "story"


class Least(msgspec.Struct, frozen=True):
    """The fewest calls that one purpose needs at a vendor, and the reason."""

    calls: int
    purpose: str
    why: str


LEAST: dict[str, tuple[Least, ...]] = {
    "salesforce": (
        Least(1, "read the deal", "one query brings parents (account) and children (lines, contacts)"),
        Least(1, "write the project's ids back", "one PATCH sets all fields of a record"),
    ),
    "netsuite": (
        Least(1, "search for the same customer", "one SuiteQL query covers name, tax number and domain"),
        Least(1, "create the customer", "PUT by external id; the id comes back in Location"),
        Least(1, "create the billing schedule", "a record of its own, which the order names"),
        Least(1, "create the sales order with its lines", "lines go with their order"),
        Least(1, "learn the order's number", "creations answer without a body, and the number is NetSuite's"),
    ),
    "kantata": (
        Least(1, "create the client", "its unique field refuses a second one, so no query comes before"),
        Least(
            1,
            "create the project",
            "the template's tasks and the keys come with it, and back with the answer",
        ),
        Least(1, "add the tasks that the template lacks", "up to 300 in one call"),
        Least(1, "book the demand", "up to 200 allocations in one call"),
    ),
}
"""Without logins, which are shared by all calls of an hour, and without watching for changes."""

PER_SEAT = Least(1, "a seat per planned role", "seats are created one by one")


class Calls(msgspec.Struct, frozen=True):
    """The calls to one vendor for one activation."""

    vendor: str
    made: int
    least: int
    by: dict[str, int]
    unrecorded: int

    @property
    def ratio(self) -> float:
        return self.made / self.least


async def measure(folder: Path, database_url: str, cache_url: str) -> list[Calls]:
    """Run the demo's deal on a real stack, then compare the vendors' logs with our records of the calls."""
    environ = {"ENFILADE_DATABASE_URL": database_url, "ENFILADE_CACHE_URL": cache_url}
    async with up(folder, environ) as (deployment, _):
        console = Paper(file=io.StringIO())
        outcome = await run_demo(deployment, await asyncio.to_thread(embedded_issuer, str(folder)), console)
        if not outcome.passed:
            raise RuntimeError("the activation did not hold at the vendors")
        async with httpx.AsyncClient(trust_env=False, timeout=30) as http:
            seen = {vendor: await _log(http, url) for vendor, url in deployment.sandboxes.items()}
    # Our rows are all written once the deployment has stopped.
    recorded = await _recorded(database_url, outcome.opportunity_id)
    return [_compare(vendor, seen[vendor], recorded) for vendor in LEAST]


async def _log(http: httpx.AsyncClient, sandbox: str) -> set[str]:
    answer = await http.get(f"{sandbox}/__control/accounts/{_ACCOUNT}/calls")
    return {call["request_id"] for call in answer.raise_for_status().json() if call["request_id"]}


async def _recorded(database_url: str, opportunity_id: str) -> Sequence[Any]:
    """Every call under the activation's correlation id."""
    deal = select(runs.c.correlation_id).where(runs.c.subject == opportunity_id)
    database = Database(database_url, name="enfilade bench")
    try:
        async with database.connect() as connection:
            query = select(vendor_calls).where(vendor_calls.c.correlation_id.in_(deal))
            return (await connection.execute(query.order_by(vendor_calls.c.id))).all()
    finally:
        await database.close()


def _compare(vendor: str, seen: set[str], recorded: Sequence[Any]) -> Calls:
    rows = [row for row in recorded if row.instance.startswith(vendor)]
    logins = [row for row in rows if "/token" in row.template]
    work = [row for row in rows if row not in logins]
    by = Counter(f"{row.step or 'before the flow'}: {row.method} {row.template}" for row in work)
    seats = sum(row.method == "POST" and row.template.endswith("workspace_resources") for row in work)
    least = sum(one.calls for one in LEAST[vendor]) + seats
    return Calls(
        vendor=vendor,
        made=sum(row.vendor_request_id in seen for row in work),
        least=least,
        by=dict(by),
        unrecorded=sum(row.vendor_request_id not in seen for row in work),
    )
