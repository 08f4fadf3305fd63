"""tests/upgrade: leaves the database of this release as a dump, for the next release to start from.

`make dump` runs it right before a release: tests/data/releases/<version>.sql is then committed for good.
"""

import asyncio
import shutil
import sys
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from deploy.embedded.tools import run_tool
from tests.support.deals import LARGE, Deal, new_deal
from tests.support.instances import CRM_INSTANCE
from tests.support.nursery import Nursery
from tests.support.processes import ROOT
from tests.support.sandboxes import Sandbox, open_sandbox
from tests.support.servers import Servers, create_database
from tests.support.stack import Caller, Stack, open_accounts, until

DUMPS = ROOT / "tests/data/releases"
REQUESTS = "/process/customer-master/v1/requests"
EXCEPTIONS = "/process/exceptions/v1/exceptions"


async def fill(deployment: Stack) -> None:
    """Work in every state that a release may meet: done, waiting for finance, parked, decided."""
    crm = deployment.accounts.crm
    async with deployment.caller("crm-screen") as screen:
        done = await new_deal(crm, stage="won")
        await screen.activate(done.opportunity_id)
        await screen.activation(done.opportunity_id, "done")
        for _ in range(2):
            stopped = await _park(screen, await new_deal(crm, rate_card=None))
    waiting = await new_deal(crm, credit_limit=LARGE)
    proposal = {"instance": CRM_INSTANCE, "account_id": waiting.account_id}
    async with deployment.caller("operations", "olga.operations") as olga:
        asked = await olga.post(
            REQUESTS, {**proposal, "selling_entity": "NB-UK", "currency": "GBP"}, key="release-dump-1"
        )
        assert asked.status_code == 202, asked.text
        await until("finance is asked", lambda: _waits(olga))
    async with deployment.caller("finance-desk", "fiona.finance") as fiona:
        decision = {"action": "undo", "reason": "The deal was entered twice"}
        decided = await fiona.post(
            f"{EXCEPTIONS}/{stopped}/resolution", decision, key="release-dump-2", **{"If-Match": "*"}
        )
        assert decided.is_success, decided.text


async def _park(screen: Caller, deal: Deal) -> str:
    """An activation that stops for a person; its exception."""
    await deal.close()
    return (await screen.activation(deal.opportunity_id, "parked"))["exception_id"]


async def _waits(person: Caller) -> bool:
    return bool((await person.get(REQUESTS, status="waiting"))["items"])


async def main(version: str) -> None:
    folder = Path(tempfile.mkdtemp(prefix="enf-dump-"))
    servers, nursery = Servers(folder / "servers"), Nursery(folder)
    try:
        addresses = servers.addresses()
        url = create_database(addresses["database_url"], "release")
        place = str(nursery.address)
        async with AsyncExitStack() as stack:

            async def sandbox_of(vendor: str) -> Sandbox:
                return await stack.enter_async_context(open_sandbox(place, vendor, "dump"))

            accounts = await stack.enter_async_context(open_accounts(sandbox_of))
            deployment = Stack(folder / "deployment", url, addresses["cache_url"], accounts)
            try:
                await deployment.start()
                await fill(deployment)
            finally:
                deployment.stop()
        options = ("--no-owner", "--no-privileges", "--restrict-key=release")
        run_tool("pg_dump", url, *options, "--file", DUMPS / f"{version}.sql")
    finally:
        nursery.stop()
        servers.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
