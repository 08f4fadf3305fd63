"""tests of kit/http: every call to a vendor leaves a durable row."""

from collections.abc import AsyncIterator, Callable

import pytest
from sqlalchemy import text

from contracts.problems import VendorRejected
from kit import clock, context
from kit.database import Database
from kit.http import Outbound, Recorder
from kit.http.recorder import VendorCall
from tests.kit.http.stand import Reply, Stand


@pytest.fixture
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    database = Database(fresh_database_url)
    yield database
    await database.close()


async def test_rows(stand: Stand, client: Callable[..., Outbound], database: Database) -> None:
    """Each attempt is a row: its transaction, step, route, status, problem and the vendor's request id."""
    recorder = Recorder(database)
    outbound = client(recorder=recorder)
    stand.script(
        Reply(503),
        Reply(headers={"X-Request": "r-2"}),
        Reply(400, body=b"secret", headers={"X-Request": "r-3"}),
    )
    with context.use(context.Context("cor_1", lane="batch", workflow_id="w", step="s")):
        await outbound.send("PUT", "/x/1", template="/x/{id}")
        with pytest.raises(VendorRejected):
            await outbound.send("GET", "/x/1", template="/x/{id}")
    await recorder.close()
    async with database.connect() as connection:
        rows = (
            (await connection.execute(text("SELECT * FROM enfilade.vendor_calls ORDER BY id")))
            .mappings()
            .all()
        )
    assert [(r["status"], r["problem"], r["vendor_request_id"]) for r in rows] == [
        (503, "vendor_doubtful", ""),
        (200, "", "r-2"),
        (400, "vendor_rejected", "r-3"),
    ]
    wanted = ("cor_1", "w", "s", "shop-main", "batch", "/x/{id}")
    for row in rows:
        names = ("correlation_id", "workflow_id", "step", "instance", "lane", "template")
        assert tuple(row[name] for name in names) == wanted
        assert "secret" not in str(dict(row))


async def test_a_row_that_cannot_be_stored_keeps_no_other_from_it(database: Database) -> None:
    """A vendor's request id with a NUL is stored with an escape, and the calls around it as they are."""
    recorder = Recorder(database)
    ids = ["r-1", "r-\x00", "r-\udcff", "r-4"]
    for vendors_id in ids:
        recorder.record(
            VendorCall(clock.now(), "cor_1", "", "", "shop", "batch", "GET", "/x", 200, "", vendors_id, 0.1)
        )
    await recorder.close()
    async with database.connect() as connection:
        query = text("SELECT vendor_request_id FROM enfilade.vendor_calls ORDER BY id")
        stored = (await connection.execute(query)).scalars().all()
    assert list(stored) == ["r-1", r"r-\x00", r"r-\udcff", "r-4"]


async def test_rows_wait_for_the_database(
    stand: Stand, client: Callable[..., Outbound], database: Database
) -> None:
    """While the table cannot be written to, calls go on and their rows wait."""
    recorder = Recorder(database)
    outbound = client(recorder=recorder)
    async with database.begin() as connection:
        await connection.execute(text("ALTER TABLE enfilade.vendor_calls RENAME TO away"))
    for _ in range(3):
        await outbound.send("GET", "/x")
    with pytest.raises(Exception, match="vendor_calls"):
        await recorder.flush()
    async with database.begin() as connection:
        await connection.execute(text("ALTER TABLE enfilade.away RENAME TO vendor_calls"))
    await recorder.close()
    async with database.connect() as connection:
        assert (await connection.execute(text("SELECT count(*) FROM enfilade.vendor_calls"))).scalar() == 3
