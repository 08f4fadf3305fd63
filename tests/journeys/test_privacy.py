"""Whoever decides is known to those who may know, and stands nowhere in what we keep."""

from pathlib import Path

from deploy.embedded.tools import run_tool
from kit import audit
from kit.privacy.requests import erase
from tests.support.deals import LARGE, approve, new_deal
from tests.support.stack import Stack

GRETA = "greta.unmistakable@example.com"
REQUESTS = "/process/customer-master/v1/requests"


def kept(deployment: Stack, folder: Path) -> str:
    """Every row of the database, the workflow engine's too."""
    dump = folder / "everything.sql"
    run_tool("pg_dump", deployment.database_url, "--data-only", "--file", dump)
    return dump.read_text(encoding="utf-8")


async def test_a_person_who_decides_is_nowhere_in_clear_and_can_be_erased(
    deployment: Stack, tmp_path: Path
) -> None:
    """Neither audit, events, runs nor the engine hold the name; an erasure takes the last kept answer too."""
    deal = await new_deal(deployment.accounts.crm, credit_limit=LARGE, stage="won")
    async with deployment.caller("crm-screen") as screen, deployment.caller("finance-desk", GRETA) as greta:
        await screen.activate(deal.opportunity_id)
        asked = await approve(greta, deal)
        await screen.activation(deal.opportunity_id, "done")
        decided = await greta.get(f"{REQUESTS}/{asked['id']}")
        assert decided["decided_by"] == GRETA
        # The answer to the decision itself is kept for a repetition, and shows what its caller may see.
        assert kept(deployment, tmp_path).count(GRETA.encode().hex()) == 1
        assert GRETA not in kept(deployment, tmp_path)
        await _erase(deployment, GRETA)
    assert GRETA.encode().hex() not in kept(deployment, tmp_path)


async def _erase(deployment: Stack, subject: str) -> None:
    async with deployment.database() as database:
        async with database.begin() as connection:
            await erase(connection, subject, "asked to be forgotten")
        assert (await audit.check(database)).faults == ()
