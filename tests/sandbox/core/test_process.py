"""A stand-in as a process of its own: what it prints, what it keeps, how it ends."""

import asyncio
import contextlib
import shlex
import signal
import socket
import sys
from pathlib import Path

import httpx
import pytest

from sandbox.core.server import CA_VARIABLES
from sandbox.folders import vendors

pytestmark = pytest.mark.parametrize("vendor", vendors()[:1])


@contextlib.asynccontextmanager
async def started(vendor, *options):
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox",
        vendor,
        "--port",
        "0",
        "--env",
        *options,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process, await _environment(process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()
        process._transport.close()


async def _environment(process):
    said = {}
    async with asyncio.timeout(30):
        while line := (await process.stdout.readline()).decode().strip():
            name, _, value = line.partition("=")
            said[name] = "".join(shlex.split(value))
    return said


async def test_killed_and_started_again(vendor, tmp_path):
    """What was stored before SIGKILL is there at the next start, with the same credentials."""
    async with httpx.AsyncClient(trust_env=False) as client:
        async with started(vendor, "--data", str(tmp_path)) as (process, first):
            control = first[f"{vendor.upper()}_CONTROL_URL"]
            made = (await client.post(f"{control}/accounts", json={"name": "kept"})).json()
            async with asyncio.timeout(20):
                while not await asyncio.to_thread((tmp_path / f"{vendor}-kept.json").exists):  # noqa: ASYNC110 - a file of another process
                    await asyncio.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            await process.wait()
        async with started(vendor, "--data", str(tmp_path)) as (_, second):
            again = (await client.get(f"{second[f'{vendor.upper()}_CONTROL_URL']}/accounts/kept")).json()
    assert (
        again["credentials"].items()
        >= {k: v for k, v in made["credentials"].items() if "url" not in k}.items()
    )


async def test_prints_all_that_a_client_needs(vendor, tmp_path):
    """The lines have addresses, the proxy and files that exist, and the end on SIGTERM is graceful."""
    async with started(vendor, "--data", str(tmp_path)) as (process, said):
        name = vendor.upper()
        assert {f"{name}_SANDBOX_URL", f"{name}_CONTROL_URL", "HTTPS_PROXY"} <= set(said)
        [authority] = {said[variable] for variable in CA_VARIABLES}
        assert await asyncio.to_thread(Path(authority).exists)
        process.terminate()
        assert await process.wait() == 0


async def test_port_in_use(vendor):
    """A taken port is one sentence and status 2."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "sandbox", vendor, "--port", str(port), stderr=asyncio.subprocess.PIPE
        )
        _, said = await process.communicate()
    assert (process.returncode, said.decode().count("\n"), f"Port {port} is in use" in said.decode()) == (
        2,
        1,
        True,
    )
