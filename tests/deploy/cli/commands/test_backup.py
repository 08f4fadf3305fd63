"""A backup brings everything back: what was done, what waits, who decided, and the chain of the audit."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy.engine import make_url

from deploy.cli.backups import _is_ours, refuse_server
from deploy.cli.main import main
from deploy.embedded import Embedded, EmbeddedError
from deploy.embedded.binaries import POSTGRESQL_MAJOR
from deploy.embedded.tools import restore_dump, run_tool
from deploy.errors import CommandError
from kit.database import migrate
from process_apis.app import MIGRATIONS
from tests.deploy.cli.commands.conftest import run
from tests.support.deals import LARGE, approve, new_deal, truth
from tests.support.deployments import MakeDeployment, make_deployment
from tests.support.postgresql import older_postgresql
from tests.support.servers import create_empty_database, drop_database
from tests.support.stack import Stack

__all__ = ["make_deployment"]

FIONA = "fiona.finance"


@pytest.fixture
def empty_url(addresses: dict[str, str], worker_name: str) -> Iterator[str]:
    """Where a lost database is restored to."""
    name = f"restored_{worker_name}"
    yield create_empty_database(addresses["database_url"], name)
    drop_database(addresses["database_url"], name)


class Operator:
    """Somebody at a deployment's command line; in this process, for a new one takes seconds each time."""

    def __init__(
        self, deployment: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._deployment = deployment
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    async def says(self, *arguments: str, status: int = 0) -> str:
        """`enfilade …`, which must end with this status; what it printed."""
        with self._monkeypatch.context() as patch:
            for name, value in self._deployment.environment().items():
                patch.setenv(name, value)
            ended = await asyncio.to_thread(main, arguments)
        told = self._capsys.readouterr()
        assert ended == status, told
        return told.out + told.err


async def test_a_lost_database_is_restored_and_the_work_goes_on(
    make_deployment: MakeDeployment,
    fresh_database_url: str,
    empty_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Backed up while it runs, lost, restored elsewhere: what waited is finished once, the audit verifies."""
    file = tmp_path / "house.enfilade"
    async with make_deployment("backed-up", fresh_database_url) as deployment:
        operator = Operator(deployment, monkeypatch, capsys)
        member = await deployment.start()
        crm = deployment.accounts.crm
        done, waiting = await new_deal(crm), await new_deal(crm, credit_limit=LARGE)
        async with deployment.caller("crm-screen") as screen:
            for deal in (done, waiting):
                await deal.close()
            await screen.activation(done.opportunity_id, "done")
            await screen.activation(waiting.opportunity_id, "waiting")
        assert "The keys are not included" in await operator.says("backup", str(file))
        assert file.stat().st_mode & 0o077 == 0
        member.kill()
        deployment.database_url = empty_url
        assert "The deployment is as it was" in await operator.says("restore", str(file))
        assert "not empty" in await operator.says("restore", str(file), status=1)
        member = await deployment.start("again", port=deployment.port)
        async with (
            deployment.caller("crm-screen") as screen,
            deployment.caller("finance-desk", FIONA) as finance,
        ):
            await approve(finance, waiting)
            await screen.activation(waiting.opportunity_id, "done")
            await screen.activation(done.opportunity_id, "done")
        for deal in (done, waiting):
            assert (await truth(deployment.accounts, deal)).counts() == (1, 1, 1)
        await _ask_the_admin_apis(operator, ("--url", member.internal), tmp_path / "export")


async def _ask_the_admin_apis(operator: Operator, at: tuple[str, str], folder: Path) -> None:
    """The trail of both lives verifies, is listed with names, exported, and survives an erasure."""
    assert "The trail is complete and unaltered." in await operator.says("audit", "verify", *at)
    lines = json.loads(await operator.says("audit", "list", "--json", "--actor", FIONA, *at))
    decided = [line for line in lines if line["action"] == "customer-master.approve"]
    assert [line["person"] for line in decided] == [FIONA]
    place = f"{decided[0]['chain']}/{decided[0]['seq']}"
    assert "seen by the test" in await operator.says("audit", "show", place, *at)
    period = ("--period", lines[0]["at"][:7])
    assert "verify.py" in await operator.says("audit", "export", *period, "--out", str(folder), *at)
    assert "cannot be created" in await operator.says(
        "audit", "export", *period, "--out", str(folder), *at, status=1
    )
    command = [sys.executable, "-I", folder / "verify.py"]
    checked = await asyncio.to_thread(subprocess.run, command, check=False, capture_output=True)
    assert checked.returncode == 0, checked.stdout
    held: dict[str, Any] = json.loads(await operator.says("privacy", "export", FIONA, *at))
    assert held["fields"] == {"subject": FIONA}
    assert "Erased: per_" in await operator.says("privacy", "erase", FIONA, "--reason", "asked for it", *at)
    assert FIONA not in await operator.says("audit", "list", *at)
    await operator.says("audit", "verify", *at)
    assert "vendor_calls" in await operator.says("retention", "run", "--dry-run", *at)
    assert "Case 7" in await operator.says("retention", "hold", "cor_1", "--reason", "Case 7", *at)
    assert "petra.platform" in await operator.says("retention", "holds", *at)
    assert "no longer under a legal hold" in await operator.says("retention", "lift", "cor_1", *at)


def test_the_embedded_database_is_backed_up_at_rest_and_replaced(tmp_path: Path) -> None:
    """With nothing running, keys and all; restored only where there is room, or where one says so."""
    folder, file = tmp_path / "data", tmp_path / "house.enfilade"
    with_keys = ("--with-keys", "--data", str(folder))
    servers = Embedded(folder, durable=False).start()
    migrate(servers.database_url)
    servers.stop()
    (folder / "keys").mkdir()
    (folder / "keys" / "master.key").write_text("k" * 64)
    made = run("backup", str(file), *with_keys)
    assert (made.status, "not included" in made.out) == (0, False), made
    assert run("backup", str(file), *with_keys).status == 1
    shutil.rmtree(folder / "keys")
    refused = run("restore", str(file), "--data", str(folder))
    assert (refused.status, "--replace" in refused.err) == (1, True), refused
    restored = run("restore", str(file), "--data", str(folder), "--replace")
    assert restored.status == 0, restored
    assert (folder / "keys" / "master.key").read_text() == "k" * 64
    assert "keys" not in restored.out


@pytest.mark.parametrize("content", [b"", b"not a backup"])
def test_what_is_no_backup_is_refused(
    tmp_path: Path, content: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, before anything is touched."""
    file = tmp_path / "file"
    file.write_bytes(content)
    assert main(("restore", str(file), "--data", str(tmp_path / "data"))) == 1
    assert "is no backup" in capsys.readouterr().err
    assert not (tmp_path / "data" / "postgresql").exists()


def test_a_backup_goes_into_older_and_newer_servers(
    fresh_database_url: str, empty_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From this release's PostgreSQL into an older one, from there into its like and back, all rows alike."""
    row = ("kept", "SET transaction_timeout = 0;")
    with psycopg.connect(_plain(fresh_database_url)) as connection:
        connection.execute("INSERT INTO enfilade.cursors (name, value) VALUES (%s, %s)", row)
    everything = _rows(fresh_database_url)
    with older_postgresql() as (major, server):
        older, again = (create_empty_database(server, name) for name in ("older", "again"))
        taken = [(fresh_database_url, older), (older, again), (again, empty_url)]
        for number, (source, target) in enumerate(taken):
            file = tmp_path / f"{number}.enfilade"
            monkeypatch.setenv("ENFILADE_DATABASE_URL", source)
            assert main(("backup", str(file), "--data", str(tmp_path))) == 0
            monkeypatch.setenv("ENFILADE_DATABASE_URL", target)
            assert main(("restore", str(file), "--data", str(tmp_path))) == 0
            assert _rows(target) == everything, (major, number)
        # What a first start makes on such a server.
        migrate(create_empty_database(server, "fresh"), MIGRATIONS)


def _plain(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _rows(url: str) -> dict[str, Any]:
    """How many rows each table of ours has, and the rows of one of them."""
    with psycopg.connect(_plain(url)) as connection:
        query = "SELECT schemaname, relname FROM pg_stat_user_tables ORDER BY 1, 2"
        found: dict[str, Any] = {}
        for table in connection.execute(query).fetchall():
            counted = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(*table))
            found[".".join(table)] = connection.execute(counted).fetchone()
        cursors = connection.execute("SELECT name, value FROM enfilade.cursors ORDER BY name").fetchall()
        return {**found, "cursors": cursors}


@pytest.mark.parametrize("major", [13, 14, 19])
def test_servers_on_which_nothing_is_proven_are_refused_before_anything_is_touched(major: int) -> None:
    """The sentence says which versions there may be."""
    with pytest.raises(CommandError, match=rf"on PostgreSQL {major}; .* 15 to 18\. Nothing was changed"):
        refuse_server(major)


def test_a_failed_tool_is_told_whole(empty_url: str, tmp_path: Path) -> None:
    """All that it said, not its last line; and what it had done already is undone."""
    dump = tmp_path / "dump"
    with psycopg.connect(_plain(empty_url)) as connection:
        connection.execute("CREATE TABLE first (id int); CREATE TABLE second (id int)")
    run_tool("pg_dump", empty_url, "--format=custom", "--file", dump)
    with psycopg.connect(_plain(empty_url)) as connection:
        connection.execute("DROP TABLE first")
    with pytest.raises(EmbeddedError) as caught:
        restore_dump(empty_url, dump, POSTGRESQL_MAJOR)
    assert re.search(r'psql did not succeed: .*ERROR: +relation "second" already exists', str(caught.value))
    with psycopg.connect(_plain(empty_url)) as connection:
        assert connection.execute("SELECT to_regclass('first')").fetchone() == (None,)
    dump.write_bytes(dump.read_bytes()[:-200])
    with psycopg.connect(_plain(empty_url)) as connection:
        connection.execute("DROP TABLE second")
    with pytest.raises(EmbeddedError, match="pg_restore did not succeed: "):
        restore_dump(empty_url, dump, POSTGRESQL_MAJOR)
    with psycopg.connect(_plain(empty_url)) as connection:
        assert connection.execute("SELECT to_regclass('first')").fetchone() == (None,)
    with pytest.raises(EmbeddedError) as caught:
        run_tool("psql", empty_url, "--set=ON_ERROR_STOP=1", "--command", "SELECT 1 FROM nowhere")
    assert len(str(caught.value).splitlines()) == 3


@pytest.mark.parametrize("name", ["/out", "../out", "keys/../../out", "keys//out", "elsewhere"])
def test_a_file_with_a_way_out_of_its_place_is_refused(tmp_path: Path, name: str) -> None:
    """No absolute path, nothing above, nothing that a backup does not have."""
    assert not _is_ours(tarfile.TarInfo(name))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_a_file_with_links_or_devices_is_refused(
    tmp_path: Path, kind: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before anything of it is written."""
    file, data = tmp_path / "file", tmp_path / "data"
    with tarfile.open(file, "w") as archive:
        member = tarfile.TarInfo("manifest.json")
        member.type, member.linkname = kind, "/etc/passwd"
        archive.addfile(member)
    assert main(("restore", str(file), "--data", str(data))) == 1
    assert "is no backup" in capsys.readouterr().err
    assert not data.exists()
