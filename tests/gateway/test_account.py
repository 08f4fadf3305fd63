"""tests/gateway: what is written down."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from gateway.pipeline import GatewaySettings
from gateway.policies.account import AccountSettings
from gateway.tables import usage
from kit import audit
from kit.audit import AuditEntry, check
from kit.audit.tables import audit as trail
from kit.database import Database
from tests.gateway.deployment import ORDER, Deployment, problem
from tests.gateway.forge import no_text
from tests.support.databases import keyed


@pytest.fixture
async def own(fresh_database_url: str) -> AsyncIterator[Database]:
    found = keyed(fresh_database_url)
    yield found
    await found.close()


async def rows(database: Database) -> list[dict[str, Any]]:
    async with database.connect() as connection:
        found = await connection.execute(select(trail).order_by(trail.c.at, trail.c.seq))
        return [row._asdict() for row in found]


async def test_writes_and_denials_are_written_down_and_reads_are_not(keys_folder: Path, own: Database):
    """Who did or tried what, from where, with which outcome and which correlation id."""
    deployment = Deployment(keys_folder, database=own)
    await deployment.gateway.start()
    await deployment.call("GET", "/experience/shop/v1/orders/o-1")
    placed = await deployment.call(
        "POST",
        "/experience/shop/v1/orders",
        headers={"Idempotency-Key": "audit-0001", "Correlation-Id": "theirs"},
        json=ORDER,
    )
    denied = await deployment.call("GET", "/process/works/v1/works/w", "partner")
    problem(denied, 403, "audience_forbidden")
    await deployment.call("GET", "/process/works/v1/works/w", "")
    await deployment.gateway.close()
    found = await rows(own)
    assert [(row["action"], row["actor"], row["outcome"], row["subject"]) for row in found] == [
        ("experience/shop@1.place_order", "ci", "202", "/experience/shop/v1/orders"),
        ("process/works@1.get_work", "partner", "audience_forbidden", "/process/works/v1/works/w"),
    ]
    assert found[0]["detail"]["caller_correlation_id"] == "theirs"
    assert [row["correlation_id"] for row in found] == [
        answer.headers["correlation-id"] for answer in (placed, denied)
    ]
    assert (await audit.check(own)).faults == ()


async def test_rows_wait_for_the_database_up_to_a_bound(keys_folder: Path, tmp_path: Path):
    """With the database away nothing is refused for the audit's sake, and memory does not fill up."""
    nowhere = Database(f"postgresql+psycopg://nobody@/none?host={tmp_path}")
    deployment = Deployment(
        keys_folder, GatewaySettings(account=AccountSettings(max_waiting=100)), database=nowhere
    )
    for _ in range(120):
        answer = await deployment.call("POST", "/experience/shop/v1/orders/o-1/poke")
        assert answer.status_code == 200
    await deployment.gateway.close()
    assert len(deployment.gateway._account._rows) == 100
    await nowhere.close()


async def test_a_row_that_can_never_be_written_is_set_aside(
    keys_folder: Path, own: Database, caplog: pytest.LogCaptureFixture
):
    """The rows around it are written, it is there with escapes, and the log and `verify` tell of it."""
    deployment = Deployment(keys_folder, database=own)
    before = await deployment.call("POST", "/experience/shop/v1/orders/o-1/poke")
    deployment.gateway._account._rows.add(
        AuditEntry(
            "a\x00b", "200", "mallory\udcff", "ci", "/\ud800", {"n": 10**400}, personal={"source": "\udcff"}
        )
    )
    after = await deployment.call("POST", "/experience/shop/v1/orders/o-1/poke")
    await deployment.gateway.close()
    found = await rows(own)
    ids = [row["correlation_id"] for row in found]
    assert ids == [before.headers["correlation-id"], "", after.headers["correlation-id"]]
    assert (found[1]["action"], found[1]["subject"]) == (r"a\x00b", r"/\ud800")
    assert found[1]["actor"].startswith("per_")
    assert found[1]["detail"]["set_aside"] == "UnicodeEncodeError"
    assert "row set aside" in caplog.text
    assert "mallory" not in caplog.text
    verified = await check(own)
    assert (verified.faults, verified.set_aside) == ((), 1)


async def test_a_token_of_no_text_does_not_end_the_audit(keys_folder: Path, own: Database):
    """A `sub` with a lone surrogate is refused at the gateway, and the next caller's row is written."""
    deployment = Deployment(keys_folder, database=own)
    hostile = {"Authorization": f"Bearer {no_text(deployment)}"}
    url = "/experience/shop/v1/orders/o-1/poke"
    problem(await deployment.call("POST", url, "", headers=hostile), 401, "invalid_token")
    answer = await deployment.call("POST", url)
    await deployment.gateway.close()
    assert [row["correlation_id"] for row in await rows(own)] == [answer.headers["correlation-id"]]


async def test_closing_goes_on_where_the_trail_cannot_be_written(
    keys_folder: Path, own: Database, caplog: pytest.LogCaptureFixture
):
    """The log says how many rows are lost, and what else waits is written all the same."""
    deployment = Deployment(keys_folder, database=own)
    await deployment.gateway.start()
    async with own.begin() as connection:
        await connection.execute(text("ALTER TABLE enfilade.audit RENAME TO away"))
    await deployment.call("POST", "/experience/shop/v1/orders/o-1/poke")
    await deployment.gateway.close()
    assert "rows not written" in caplog.text
    async with own.connect() as connection:
        assert (await connection.execute(select(usage.c.calls))).scalar() == 1


async def test_a_row_that_was_never_written_is_missed(keys_folder: Path, own: Database):
    """Rows are numbered at the gateway: what it noted and then lost is a fault of the trail."""
    deployment = Deployment(
        keys_folder, GatewaySettings(account=AccountSettings(max_waiting=100)), database=own
    )
    for _ in range(103):
        await deployment.call("POST", "/experience/shop/v1/orders/o-1/poke")
    await deployment.gateway.close()
    (fault,) = (await check(own)).faults
    assert "rows 1 to 3 were never written" in fault


async def test_no_token_is_in_any_log_line(
    keys_folder: Path, own: Database, caplog: pytest.LogCaptureFixture
):
    """Success, refusal and failure leave no token behind."""
    deployment = Deployment(keys_folder, database=own)
    caplog.set_level("DEBUG")
    await deployment.call("GET", "/experience/shop/v1/orders/o-1")
    await deployment.call("GET", "/experience/shop/v1/broken")
    await deployment.call("GET", "/process/works/v1/works/w", "partner")
    for consumer in ("ci", "partner"):
        assert deployment.token(consumer).split(".")[2] not in caplog.text
