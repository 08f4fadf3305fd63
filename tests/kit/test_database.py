"""tests/kit: migrations, locks, leases, cursors."""

import asyncio
import datetime as dt
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

import deploy.composition.tables  # noqa: F401 - declares every table
from contracts.problems import Invalid, Unavailable
from kit.database import (
    Database,
    decode_page,
    encode_page,
    get_cursor,
    lease,
    metadata,
    migrate,
    set_cursor,
)
from kit.database.declaring import declared
from tests.support.forkserver import piped
from tests.support.processes import lines_of

HOLDER = """
import asyncio, sys
from kit.database import Database, lease
async def main():
    async with lease(Database(sys.argv[1]), "poll:one"):
        print("held", flush=True)
        await asyncio.Event().wait()
asyncio.run(main())
"""


def test_the_migrated_database_is_what_the_tables_say(fresh_database_url: str) -> None:
    """Nothing is in the tables that a migration did not make, and the other way round."""
    engine = create_engine(fresh_database_url, poolclass=NullPool)
    ours = {table.name for table in metadata.tables.values()}
    assert {table.name for table in declared()} == ours

    def ours_only(name: str | None, kind: str, _: object) -> bool:
        return name in ("enfilade", None) if kind == "schema" else kind != "table" or name in ours

    options = {
        "include_schemas": True,
        "version_table_schema": "enfilade",
        "include_name": ours_only,
    }
    with engine.connect() as connection:
        # Our role is named like our schema, which would make it the nameless default one.
        connection.execute(text("SET search_path TO public"))
        connection.dialect.default_schema_name = "public"
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


async def test_processes_that_start_together_migrate_once(fresh_database_url: str) -> None:
    """Four migrations at once of one database all succeed."""
    _empty(fresh_database_url)
    await asyncio.gather(*(asyncio.to_thread(migrate, fresh_database_url) for _ in range(4)))
    assert _count(fresh_database_url, "runs") == 0


def test_a_floor_adds_migrations_of_its_own(fresh_database_url: str, tmp_path: Path) -> None:
    """An extra version location is applied beside kit's."""
    (tmp_path / "0001_read.py").write_text(
        "from alembic import op\n"
        "revision, down_revision, branch_labels, depends_on = 'read_0001', None, ('read',), 'kit_0001'\n"
        "def upgrade(): op.execute('CREATE TABLE enfilade.read_model (id text)')\n"
    )
    _empty(fresh_database_url)
    migrate(fresh_database_url, str(tmp_path))
    assert _count(fresh_database_url, "read_model") == 0


def _empty(url: str) -> None:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA enfilade CASCADE"))
        connection.execute(text("DROP SCHEMA dbos CASCADE"))


def _count(url: str, table: str) -> int:
    engine = create_engine(url, poolclass=NullPool)
    with engine.connect() as connection:
        return connection.execute(text(f"SELECT count(*) FROM enfilade.{table}")).scalar_one()  # noqa: S608


async def test_one_holder_at_a_time_within_a_process(database: Database) -> None:
    """Ten holders of one lock come one after the other, and each holds another name's at once."""
    inside = most = 0

    async def work() -> None:
        nonlocal inside, most
        async with database.locks.hold("a"):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    async with database.locks.hold("b"):
        await asyncio.gather(*(work() for _ in range(10)))
    assert most == 1


async def test_a_lease_is_freed_by_death(database: Database) -> None:
    """A lease held by another process is waited for, and had as soon as that process is killed."""
    holder = piped("-c", HOLDER, database.url)
    assert await lines_of(holder, 1) == ["held"]
    waiting = asyncio.create_task(_take(database))
    assert await database.locks.take("lease:poll:one") is None
    assert not waiting.done()
    holder.kill()
    holder.communicate()
    await asyncio.wait_for(waiting, 10)


async def _take(database: Database) -> None:
    async with lease(database, "poll:one"):
        pass


async def test_a_cancelled_taker_leaves_no_lock_and_spoils_none(database: Database) -> None:
    """Takers cancelled at any moment leave their lock free, and the other locks of the process held."""
    async with lease(database, "kept") as held:
        for turns in range(20):
            taker = asyncio.ensure_future(database.locks.take("wanted"))
            for _ in range(turns):
                await asyncio.sleep(0)
            taker.cancel()
            await asyncio.gather(taker, return_exceptions=True)
            if not taker.cancelled():
                await database.locks.release("wanted")
        async with asyncio.timeout(10):
            async with database.locks.hold("wanted"):
                assert not held.lost.is_set()


async def test_a_lost_session_tells_its_holders(database: Database) -> None:
    """When the server ends the session, its holders hear that their lock is gone, and it can be had again."""
    async with lease(database, "poll:two") as held:
        async with database.begin() as connection:
            killing = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
            ours = " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
            await connection.execute(text(killing + ours))
        with pytest.raises(Unavailable):
            await database.locks.check()
        assert held.lost.is_set()
    async with lease(database, "poll:two") as held:
        assert not held.lost.is_set()


async def test_cursors_are_kept_by_name(database: Database) -> None:
    """A cursor is None before the first value, then the last value."""
    async with database.begin() as connection:
        assert await get_cursor(connection, "changes") is None
        await set_cursor(connection, "changes", "1")
        await set_cursor(connection, "changes", "2")
        assert await get_cursor(connection, "changes") == "2"


@pytest.mark.parametrize("cursor", ["x", "!!!", "bnVsbA==", encode_page("a", "b", "c"), encode_page(1, "\0")])
def test_a_foreign_page_cursor_leads_nowhere(cursor: str) -> None:
    """A cursor that is not of the list, or holds what no store takes, names no page."""
    with pytest.raises(Invalid):
        decode_page(cursor, tuple[int, str])


def test_a_page_cursor_keeps_its_place() -> None:
    """A place comes back as it was, its instant in UTC; an instant before all time is no place."""
    noon = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    there = noon.astimezone(dt.timezone(dt.timedelta(hours=5)))
    assert decode_page(encode_page(there, "a"), tuple[dt.datetime, str]) == (noon, "a")
    with pytest.raises(Invalid):
        decode_page(encode_page("0001-01-01T00:00:00+01:00"), tuple[dt.datetime])


async def test_an_absent_database_is_unavailable() -> None:
    """Without a server a caller is told to come again."""
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(Unavailable):
        async with database.begin():
            pass
