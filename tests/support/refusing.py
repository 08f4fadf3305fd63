"""tests/support: a table of a real server that refuses writes with an error of our choice."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import text

from kit.database import Database


@asynccontextmanager
async def refusing(database: Database, table: str, state: str, times: int = 0) -> AsyncIterator[None]:
    """Within the block inserts into the table end with this SQLSTATE; with `times` only the first ones."""
    # A sequence keeps its number when the transaction is rolled back.
    only = f"IF nextval('public.refused') <= {times} THEN" if times else "IF true THEN"
    body = f"{only} RAISE EXCEPTION 'refused' USING ERRCODE = '{state}'; END IF; RETURN NEW;"
    await _do(
        database,
        "CREATE SEQUENCE public.refused",
        f"CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {body} END$$",
        f"CREATE TRIGGER refuse BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION public.refuse()",
    )
    try:
        yield
    finally:
        await _do(database, "DROP FUNCTION public.refuse() CASCADE", "DROP SEQUENCE public.refused")


async def _do(database: Database, *statements: str) -> None:
    async with database.begin() as connection:
        for statement in statements:
            await connection.execute(text(statement))
