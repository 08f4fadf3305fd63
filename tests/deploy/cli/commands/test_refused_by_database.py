"""tests/deploy: what a command says when the database does not do what it asks."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.engine import make_url

from deploy.cli.commands.serve import prepare
from deploy.cli.main import main
from deploy.errors import CommandError
from kit.database import Database

VIEW = "projects"


async def make_read_only(url: str) -> None:
    database = Database(url)
    async with database.begin() as connection:
        name = make_url(url).database
        await connection.execute(text(f"ALTER DATABASE {name} SET default_transaction_read_only = on"))
    await database.close()


def test_a_command_says_what_the_database_refuses(
    fresh_database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """One sentence with what to do next, status 1 and no traceback, whatever the command and the cause."""
    asyncio.run(make_read_only(fresh_database_url))
    missing = make_url(fresh_database_url).set(database="nowhere").render_as_string(hide_password=False)
    for url, command, words in (
        (fresh_database_url, f"views rebuild {VIEW}", "The database is read-only: let ENFILADE_DATABASE_URL"),
        (missing, f"views rebuild {VIEW}", "The database does not exist: create it"),
        (missing, "trace cor_1", "The database does not exist: create it"),
        (missing, f"backup {tmp_path / 'file'}", "The database does not exist: create it"),
    ):
        monkeypatch.setenv("ENFILADE_DATABASE_URL", url)
        assert main(command.split()) == 1
        said = capsys.readouterr().err.strip()
        assert words in said
        assert len(said.splitlines()) == 1


def test_serve_says_that_the_database_is_read_only(fresh_database_url: str) -> None:
    """A start is refused with the reason and the remedy."""
    asyncio.run(make_read_only(fresh_database_url))
    with pytest.raises(CommandError, match=r"read-only transaction.*primary server"):
        prepare({"ENFILADE_DATABASE_URL": fresh_database_url})
