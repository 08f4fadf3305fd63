"""A backup brings everything back: what was done, what waits, who decided, and the chain of the audit."""

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import main
from deploy.embedded import Embedded
from kit.database import migrate
from tests.deploy.commands.conftest import run
from tests.support.deals import LARGE, approve, new_deal, truth
from tests.support.houses import MakeHouse, make_house
from tests.support.servers import create_empty_database, drop_database
from tests.support.stack import Stack

__all__ = ["make_house"]

FIONA = "fiona.finance"


@pytest.fixture
def empty_url(addresses: dict[str, str], worker_name: str) -> Iterator[str]:
    """Where a lost database is restored to."""
    name = f"restored_{worker_name}"
    yield create_empty_database(addresses["database_url"], name)
    drop_database(addresses["database_url"], name)


class Operator:
    """Somebody at the command line of a house; in this process, for a new one takes seconds each time."""

    def __init__(
        self, house: Stack, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self._house = house
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    async def says(self, *arguments: str, status: int = 0) -> str:
        """`enfilade …`, which must end with this status; what it printed."""
        with self._monkeypatch.context() as patch:
            for name, value in self._house.environment().items():
                patch.setenv(name, value)
            ended = await asyncio.to_thread(main, arguments)
        told = self._capsys.readouterr()
        assert ended == status, told
        return told.out + told.err


async def test_a_lost_database_is_restored_and_the_work_goes_on(
    make_house: MakeHouse,
    fresh_database_url: str,
    empty_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Backed up while it runs, lost, restored elsewhere: what waited is finished once, the audit verifies."""
    file = tmp_path / "house.enfilade"
    async with make_house("backed-up", fresh_database_url) as house:
        operator = Operator(house, monkeypatch, capsys)
        member = await house.start()
        crm = house.accounts.salesforce
        done, waiting = await new_deal(crm), await new_deal(crm, credit_limit=LARGE)
        async with house.caller("crm-screen") as screen:
            for deal in (done, waiting):
                await deal.close()
            await screen.activation(done.opportunity_id, "done")
            await screen.activation(waiting.opportunity_id, "waiting")
        assert "Without the keys" in await operator.says("backup", str(file))
        assert file.stat().st_mode & 0o077 == 0
        member.kill()
        house.database_url = empty_url
        assert "The house is as it was" in await operator.says("restore", str(file))
        assert "not empty" in await operator.says("restore", str(file), status=1)
        member = await house.start("again", port=house.port)
        async with house.caller("crm-screen") as screen, house.caller("finance-desk", FIONA) as finance:
            await approve(finance, waiting)
            await screen.activation(waiting.opportunity_id, "done")
            await screen.activation(done.opportunity_id, "done")
        for deal in (done, waiting):
            assert (await truth(house.accounts, deal)).counts() == (1, 1, 1)
        await _ask_the_admin_apis(operator, ("--url", member.internal), tmp_path / "export")


async def _ask_the_admin_apis(operator: Operator, at: tuple[str, str], folder: Path) -> None:
    """The trail of both lives verifies, is listed with names, exported, and survives an erasure."""
    assert "Everything is as it was written." in await operator.says("audit", "verify", *at)
    lines = json.loads(await operator.says("audit", "list", "--json", "--actor", FIONA, *at))
    decided = [line for line in lines if line["action"] == "customer-master.approve"]
    assert [line["person"] for line in decided] == [FIONA]
    place = f"{decided[0]['chain']}/{decided[0]['seq']}"
    assert "seen by the test" in await operator.says("audit", "show", place, *at)
    period = ("--period", lines[0]["at"][:7])
    assert "verify.py" in await operator.says("audit", "export", *period, "--out", str(folder), *at)
    assert "cannot be made" in await operator.says(
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
    assert "no hold" in await operator.says("retention", "lift", "cor_1", *at)


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
    assert (made.status, "Without" in made.out) == (0, False), made
    assert run("backup", str(file), *with_keys).status == 1
    shutil.rmtree(folder / "keys")
    refused = run("restore", str(file), "--data", str(folder))
    assert (refused.status, "--replace" in refused.err) == (1, True), refused
    restored = run("restore", str(file), "--data", str(folder), "--replace")
    assert restored.status == 0, restored
    assert (folder / "keys" / "master.key").read_text() == "k" * 64
    assert "keys" not in restored.out


@pytest.mark.parametrize("content", [b"", b"not a backup"])
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    """One sentence, before anything is touched."""
    file = tmp_path / "file"
    file.write_bytes(content)
    refused = run("restore", str(file), "--data", str(tmp_path / "data"))
    assert (refused.status, "is no backup" in refused.err) == (1, True), refused
    assert not (tmp_path / "data" / "postgresql").exists()
