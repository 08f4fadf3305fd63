"""tests/bench: the command, its counting and its verdicts."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from bench import activation, launching, load, report
from bench.__main__ import PARTS, main
from bench.activation import Calls
from bench.flooding import Flooding
from bench.hanging import Hanging
from bench.hops import Hops
from bench.launching import Starts
from bench.policies import TIERS, WHOLE, Cost
from bench.processes import cpu_seconds
from bench.report import Findings
from bench.scaling import Scaling
from bench.throughput import Rates
from sandbox.folders import vendors
from tests.support.sandboxes import SandboxOf


def findings(read: float, local: float) -> Findings:
    return Findings(
        generator="built in",
        rates={
            "bare": Rates("bare", (1000.0, 500.0)),
            "gateway": Rates("gateway", (1000.0 * read, 500.0 * read)),
            "envoy": Rates("envoy", (600.0, 300.0)),
            "fastapi": Rates("fastapi", (30.0, 15.0)),
            "node": Rates("node", (400.0, 200.0)),
        },
        scaling=Scaling(Rates("1 worker", (9.0,), (4.0,)), Rates("2 workers", (8.0,), (7.0,)), 2),
        hanging=Hanging((2.0, 4.0, 3.0), (2.1, 4.2, 9.0), 640),
        flooding=Flooding((2.0, 4.0, 3.0), (4.0, 8.0, 3.0), (2000.0, 4000.0, 3000.0)),
        hops=Hops(0.1, local, 1000),
        policies=[Cost("wire", 1.5, 2.5), Cost(TIERS, 40, 50), Cost(WHOLE, 80, 100)],
        calls=[Calls("salesforce", 5, 2, {"look: GET /query": 5}, 0)],
        starts=Starts(7.0, 3.0),
    )


def test_help_teaches(capsys: pytest.CaptureFixture[str]) -> None:
    """`--help` names every part, shows examples and says what the exit status means."""
    with pytest.raises(SystemExit):
        main(["--help"])
    told = capsys.readouterr().out
    assert [part for part in PARTS if f"\n  {part} " not in told] == []
    assert "examples:" in told
    assert "--strict" in told


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["reed"], "there is no part 'reed'"),
        (["--rounds", "0"], "--rounds is between 1 and 50"),
        (["--seconds", "3600"], "--seconds is above 0 and at most 60"),
    ],
)
def test_misuse(arguments: list[str], fault: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What cannot be measured is refused before anything starts."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert fault in capsys.readouterr().err


def test_targets() -> None:
    """Each target is told as reached or not by the ratios of the same round."""
    reached = {target.what: target.reached for target in report.targets(findings(read=0.7, local=0.5))}
    assert list(reached.values()) == [True] * 8
    missed = [target for target in report.targets(findings(read=0.4, local=100)) if not target.reached]
    assert [target.measured for target in missed] == ["0.40", "0.67", "13.33", "1.00", "10.00"]


def test_the_report_shows_everything() -> None:
    """Every part that was measured has its table, and the targets have their verdicts."""
    page = io.StringIO()
    report.show(Console(file=page, width=120), findings(read=0.4, local=0.5))
    told = page.getvalue()
    for words in ("Requests per processor second", "Fastify", "2 workers", "1.75", "640 calls", "remote hop"):
        assert words in told
    for words in (
        "wire",
        "The gateway takes 40 µs of the read's 80 (50%)",
        "salesforce",
        "ready after 3.0 s",
    ):
        assert words in told
    assert "not reached" in told


def test_the_slowest_are_read_from_wrk() -> None:
    """wrk tells its percentiles in several units."""
    page = (
        "Latency Distribution\n  50%  1.0ms\n  99%  {}\n 1200 requests in 1s\nNon-2xx or 3xx responses: 200"
    )
    told = [load.read_wrk(page.format(slow)) for slow in ("250.00us", "2.50ms", "1.25s")]
    assert [answered.p99 for answered in told] == [0.25, 2.5, 1250]
    assert {(answered.good, answered.bad) for answered in told} == {(1000, 200)}


async def test_the_generator_counts_what_is_refused(sandbox_of: SandboxOf) -> None:
    """Answers other than 200 are counted apart, and nothing is counted twice."""
    sandbox = await sandbox_of(vendors()[0])
    url = f"{sandbox.base_url}/__control/health"
    good = await load.run(url, {"Accept": "application/json"}, 0.2, connections=2)
    assert good.good > 0 == good.bad
    assert good.p99 > 0
    refused = await load.run(f"{sandbox.base_url}/x", {}, 0.2, connections=2)
    assert refused.bad > 0 == refused.good


def test_grandchildren_are_counted() -> None:
    """The processor time of a process is that of all it has started."""
    burn = "import time\nwhile time.process_time() < 0.3: pass\n"
    burn += "print(1, flush=True)\ninput()\n"
    script = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "1\n"
        assert cpu_seconds([child.pid]) >= 0.3
        child.communicate("\n")


def test_a_child_that_has_ended_is_counted() -> None:
    """A server that replaces its worker while it is measured does not gain by it."""
    burn = "import time\nwhile time.process_time() < 0.3: pass\n"
    script = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])\n"
    script += "print(1, flush=True)\ninput()\n"
    with subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "1\n"
        assert cpu_seconds([child.pid]) >= 0.3
        child.communicate("\n")


@pytest.mark.whole
async def test_an_activation_is_counted(tmp_path: Path, fresh_database_url: str, cache_url: str) -> None:
    """The vendors have seen every call that we recorded, and none needs fewer than the least."""
    for calls in await activation.measure(tmp_path / "gateway", fresh_database_url, cache_url):
        assert calls.unrecorded == 0
        assert calls.made >= calls.least


@pytest.mark.whole
async def test_a_second_start_is_timed(tmp_path: Path) -> None:
    """Two starts on one folder are both timed."""
    found = await launching.measure(tmp_path)
    assert found.fresh > 0
    assert found.again > 0
