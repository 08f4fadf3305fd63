"""tests/gateway: what is written down."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from gateway.pipeline import Settings
from gateway.policies.account import Settings as AccountSettings
from kit import audit
from kit.database import Database
from kit.database.tables import audit as trail
from tests.gateway.house import ORDER, House, problem


@pytest.fixture
async def own(fresh_database_url: str) -> AsyncIterator[Database]:
    found = Database(fresh_database_url)
    yield found
    await found.close()


async def rows(database: Database) -> list[dict[str, Any]]:
    async with database.connect() as connection:
        found = await connection.execute(select(trail).order_by(trail.c.at, trail.c.seq))
        return [row._asdict() for row in found]


async def test_writes_and_denials_are_written_down_and_reads_are_not(keys_folder: Path, own: Database):
    """Who did or tried what, from where, with which outcome and which correlation id."""
    house = House(keys_folder, database=own)
    await house.gateway.start()
    await house.call("GET", "/experience/shop/v1/orders/o-1")
    placed = await house.call(
        "POST",
        "/experience/shop/v1/orders",
        headers={"Idempotency-Key": "audit-0001", "Correlation-Id": "theirs"},
        json=ORDER,
    )
    denied = await house.call("GET", "/process/works/v1/works/w", "partner")
    problem(denied, 403, "audience_forbidden")
    await house.call("GET", "/process/works/v1/works/w", "")
    await house.gateway.close()
    found = await rows(own)
    assert [(row["action"], row["actor"], row["outcome"], row["subject"]) for row in found] == [
        ("experience/shop@1.place_order", "ci", "202", "/experience/shop/v1/orders"),
        ("process/works@1.get_work", "partner", "audience_forbidden", "/process/works/v1/works/w"),
    ]
    assert found[0]["detail"]["caller_correlation_id"] == "theirs"
    assert [row["correlation_id"] for row in found] == [
        answer.headers["correlation-id"] for answer in (placed, denied)
    ]
    async with own.connect() as connection:
        assert await audit.verify(connection) == []


async def test_rows_wait_for_the_database_up_to_a_bound(keys_folder: Path, tmp_path: Path):
    """With the database away nothing is refused for the audit's sake, and memory does not fill up."""
    nowhere = Database(f"postgresql+psycopg://nobody@/none?host={tmp_path}")
    house = House(keys_folder, Settings(account=AccountSettings(max_waiting=100)), database=nowhere)
    for _ in range(120):
        answer = await house.call("POST", "/experience/shop/v1/orders/o-1/poke")
        assert answer.status_code == 200
    await house.gateway.close()
    assert len(house.gateway._account._waiting) == 100
    await nowhere.close()


async def test_no_token_is_in_any_log_line(
    keys_folder: Path, own: Database, caplog: pytest.LogCaptureFixture
):
    """Success, refusal and failure leave no token behind."""
    house = House(keys_folder, database=own)
    caplog.set_level("DEBUG")
    await house.call("GET", "/experience/shop/v1/orders/o-1")
    await house.call("GET", "/experience/shop/v1/broken")
    await house.call("GET", "/process/works/v1/works/w", "partner")
    for consumer in ("ci", "partner"):
        assert house.token(consumer).split(".")[2] not in caplog.text
