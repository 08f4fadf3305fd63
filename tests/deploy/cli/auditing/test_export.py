"""tests/deploy: an export of the audit trail, verified by its own script alone."""

import datetime as dt
import hashlib
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from contracts.problems import NotFound
from deploy.cli.auditing import Export
from kit import audit, clock, retention
from kit.audit import reading
from kit.database import Database
from tests.support.databases import keyed

NOVEMBER = dt.datetime(2026, 11, 3, 12, tzinfo=dt.UTC)
HOUR = 3601


@pytest.fixture
async def database(fresh_database_url: str) -> AsyncIterator[Database]:
    """Lines and an anchor before November, in November twice, and after."""
    found = keyed(fresh_database_url)
    clock.set(NOVEMBER - dt.timedelta(days=30))
    await _lines(found, "october")
    clock.set(NOVEMBER)
    for name in ("first", "second"):
        await _lines(found, name)
        clock.advance(HOUR)
    clock.set(NOVEMBER + dt.timedelta(days=30))
    await _lines(found, "december")
    yield found
    clock.real()
    await found.close()


async def _lines(database: Database, name: str) -> None:
    # Two open at once write two chains.
    async with database.begin() as one, database.begin() as other:
        for connection in (one, other, one):
            detail = {"share": 0.1, "who": "Zoë\n", "amount": -12.5}
            await audit.write(connection, action=name, outcome="done", detail=detail)
    await audit.anchor(database)


async def export(database: Database, period: str, folder: Path) -> Path:
    async with database.connect() as connection:
        found = await reading.period(connection, period)
        made = Export(folder, found)
        cursor = None
        while True:
            page = await reading.between(connection, found.after, found.upto, cursor=cursor, limit=2)
            made.add(page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
    made.finish()
    return folder


def verify(folder: Path, *more: str) -> tuple[int, str]:
    """What an auditor gets who has Python and the folder, and nothing of ours."""
    command = [sys.executable, "-I", str(folder / "verify.py"), str(folder), *more]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("period", ["0000", "0000-01", "9999", "9999-12"])
async def test_no_calendar_has_such_a_period(database: Database, period: str) -> None:
    """A year before the first or after the last is not found."""
    async with database.connect() as connection:
        with pytest.raises(NotFound, match=period):
            await reading.period(connection, period)


async def test_an_auditor_verifies_a_period_alone(database: Database, tmp_path: Path) -> None:
    """Every line between the anchors around the month is there and whole, also against a kept anchor."""
    folder = await export(database, "2026-11", tmp_path / "november")
    copy = tmp_path / "kept.jsonl"
    async with database.connect() as connection:
        anchors = (await reading.period(connection, "2026-11")).anchors
    copy.write_text(f'{{"number": 3, "hash": "{anchors[2].hash}"}}\n')
    status, said = verify(folder, str(copy))
    assert status == 0, said
    assert "9 lines, 4 anchors" in said
    assert "lines are not covered by an anchor" not in said
    assert "per_" in (folder / "README.txt").read_text()
    copy.write_text(f'{{"number": 3, "hash": "{"0" * 64}"}}\n')
    assert verify(folder, str(copy))[0] == 1


async def test_an_auditor_misses_a_row_that_was_never_written(database: Database, tmp_path: Path) -> None:
    """Of a writer's numbered rows one is not there; and what is told of it gives the terminal no orders."""
    rows = [audit.AuditEntry(action="a", outcome="b", detail=audit.numbered("w\x1b]0;x", n)) for n in (4, 6)]
    async with database.begin() as connection:
        await audit.write_all(connection, rows)
    status, said = verify(await export(database, "2026", tmp_path / "year"))
    assert status == 1
    assert r"writer w\x1b]0;x: 1 of its rows were never written" in said


async def test_a_period_that_is_still_open_says_what_stands_under_no_anchor(
    database: Database, tmp_path: Path
) -> None:
    """The last lines are there, counted as not yet anchored."""
    async with database.begin() as connection:
        await audit.write(connection, action="late", outcome="done")
    status, said = verify(await export(database, "2026", tmp_path / "year"))
    assert status == 0, said
    assert "13 lines, 4 anchors" in said
    assert "1 lines are not covered by an anchor yet" in said


def _swap(lines: list[bytes]) -> list[bytes]:
    return [lines[1], lines[0], *lines[2:]]


ALTERATIONS: dict[str, tuple[str, Callable[[list[bytes]], list[bytes]]]] = {
    "a byte of a line": ("lines.jsonl", lambda lines: [lines[0].replace(b"done", b"dome"), *lines[1:]]),
    "a space in a line": ("lines.jsonl", lambda lines: [lines[0].replace(b":{", b": {"), *lines[1:]]),
    "a hash": ("lines.jsonl", lambda lines: [b'{"hash":"' + b"0" * 64 + lines[0][73:], *lines[1:]]),
    "a line taken out": ("lines.jsonl", lambda lines: [lines[0], *lines[2:]]),
    "the last line taken away": ("lines.jsonl", lambda lines: lines[:-1]),
    "two lines swapped": ("lines.jsonl", _swap),
    "a line twice": ("lines.jsonl", lambda lines: [*lines, lines[-1]]),
    "an anchor taken out": ("anchors.jsonl", lambda lines: [lines[0], *lines[2:]]),
    "a byte of an anchor": ("anchors.jsonl", lambda lines: [lines[0].replace(b"at", b"ta"), *lines[1:]]),
}


@pytest.mark.parametrize("alteration", ALTERATIONS)
async def test_whatever_is_altered_shows(database: Database, tmp_path: Path, alteration: str) -> None:
    """The chain itself tells, even when the manifest was made to agree with the altered file."""
    folder = await export(database, "2026-11", tmp_path / "november")
    name, alter = ALTERATIONS[alteration]
    path = folder / name
    lines = alter(path.read_bytes().splitlines(keepends=True))
    path.write_bytes(b"".join(lines))
    _agree(folder, name, len(lines))
    status, said = verify(folder)
    assert (status, "is not the file that was exported" in said) == (1, False), said
    assert "FAULT" in said


def _agree(folder: Path, name: str, count: int) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["sha256"][name] = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    manifest[name.partition(".")[0]] = count
    (folder / "manifest.json").write_text(json.dumps(manifest))


async def test_what_was_purged_is_not_exported(database: Database, tmp_path: Path) -> None:
    """A period that is over is refused, and one that was cut into verifies as far as it is left."""
    clock.set(NOVEMBER + dt.timedelta(days=101))
    await retention.run(database, retention.RetentionSettings(audit=100))
    with pytest.raises(NotFound):
        await export(database, "2026-10", tmp_path / "october")
    status, said = verify(await export(database, "2026-11", tmp_path / "november"))
    assert status == 0, said
