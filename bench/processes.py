"""bench: the measured servers' processes: started, waited for, and how much processor time they have used."""

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

READY_SECONDS = 120.0
STOP_SECONDS = 15.0
_TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Process:
    """A server that answers at `url`, with the processes that it started."""

    pid: int
    url: str


@asynccontextmanager
async def running(
    command: Iterable[str], environ: Mapping[str, str], *, port: int, log: Path, ready: str
) -> AsyncIterator[Process]:
    """A server process, from when it answers at the path `ready` until the end of the block."""
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as file:
        child = await asyncio.create_subprocess_exec(
            *command, cwd=_ROOT, env={**os.environ, **environ}, stdout=file, stderr=file
        )
    url = f"http://127.0.0.1:{port}"
    try:
        await _until_ready(child, url + ready, log)
        yield Process(child.pid, url)
    finally:
        await _stop(child)


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs a module of ours."""
    return [sys.executable, "-m", module, *arguments]


async def _until_ready(child: asyncio.subprocess.Process, address: str, log: Path) -> None:
    deadline = asyncio.get_running_loop().time() + READY_SECONDS
    async with httpx.AsyncClient(trust_env=False, timeout=5) as http:
        while True:
            with contextlib.suppress(httpx.TransportError):
                # Any answer shows that the server is ready, also a refusal.
                if (await http.get(address)).status_code < httpx.codes.INTERNAL_SERVER_ERROR:
                    return
            if child.returncode is not None or asyncio.get_running_loop().time() > deadline:
                raise RuntimeError(f"{address} does not answer:\n{_end_of(log)}")
            await asyncio.sleep(0.05)


def _end_of(log: Path) -> str:
    return log.read_text(errors="replace")[-2000:]


async def _stop(child: asyncio.subprocess.Process) -> None:
    if child.returncode is None:
        child.terminate()
    try:
        await asyncio.wait_for(child.wait(), STOP_SECONDS)
    except TimeoutError:
        child.kill()
        await child.wait()


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time that these processes and their descendants have used so far, ended ones too."""
    children, used = _table()
    waiting, total = list(pids), 0
    while waiting:
        pid = waiting.pop()
        total += used.get(pid, 0)
        waiting += children.get(pid, ())
    return total / _TICKS_PER_SECOND


def children_named(*names: str) -> list[int]:
    """Our own children whose program's name starts with this."""
    children, _ = _table()
    return [pid for pid in children.get(os.getpid(), ()) if _name(pid).startswith(names)]


def _table() -> tuple[dict[int, list[int]], dict[int, int]]:
    """Every process's children, and the ticks that each has used."""
    children: dict[int, list[int]] = {}
    used: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text()
        except OSError:  # it ended meanwhile
            continue
        # The name is in brackets and may contain spaces: the counters follow it (proc(5)).
        fields = text.rpartition(")")[2].split()
        pid = int(entry.name)
        children.setdefault(int(fields[1]), []).append(pid)
        # Its own time, and that of its children which have ended: a server that replaces one gains nothing.
        used[pid] = sum(map(int, fields[11:15]))
    return children, used


def _name(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""
