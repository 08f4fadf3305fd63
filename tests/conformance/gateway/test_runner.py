"""tests/conformance/gateway: the runner itself: from outside, and by HTTP alone."""

import asyncio
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.conformance.gateway import case
from tests.conformance.gateway.__main__ import main
from tests.conformance.gateway.case import Expect
from tests.conformance.gateway.matching import faults
from tests.conformance.gateway.running import Target, filler, run
from tests.conformance.gateway.speaking import Answer

pytestmark = pytest.mark.xdist_group("gateway-conformance")

ANSWER = Answer(
    200, (("ETag", '"1"'), ("Vary", "a"), ("vary", "b")), b'{"id":"x","rows":[1,2]}', b'{"id":"x"}'
)


def test_the_runner_knows_nothing_of_our_gateway() -> None:
    """It can be taken to another data plane: no module of ours comes with it."""
    script = (
        "import sys, tests.conformance.gateway.__main__\n"
        "print({name.partition('.')[0] for name in sys.modules} & {'gateway', 'kit', 'contracts', 'deploy'})"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "set()"


async def test_the_command_tells_what_holds(
    target: Target, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Cases are chosen by how they begin; what the target lacks is left out; a fault is status 1."""
    file = tmp_path / "tokens.json"
    told = {"public_url": target.public_url, "tokens": target.tokens, "secrets": target.secrets}
    file.write_bytes(msgspec.json.encode(told))
    where = ["--base-url", target.base_url, "--tokens", str(file)]
    assert await asyncio.to_thread(main, [*where, "endpoints/", "--lacks", "issuer,portal"]) == 0
    assert "1 held, 0 did not, 10 left out" in capsys.readouterr().out
    told["public_url"] = "http://elsewhere.test"
    file.write_bytes(msgspec.json.encode(told))
    assert await asyncio.to_thread(main, [*where, "route/known"]) == 1
    assert "does not hold  route/known: A known path" in capsys.readouterr().out


def test_the_command_lists(capsys: pytest.CaptureFixture[str]) -> None:
    """`--list` tells the cases with their truths, and asks nobody."""
    assert main(["--list", "route/head"]) == 0
    assert "route/head: HEAD is GET without its body." in capsys.readouterr().out


def test_a_target_must_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    """Without an address there is nothing to ask."""
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert "--base-url and --tokens are needed" in capsys.readouterr().err


@pytest.mark.parametrize(
    "expect",
    [
        Expect(status=201),
        Expect(status=(400, 404)),
        Expect(headers={"ETag": '"2"'}),
        Expect(headers={"Vary": "~ c"}),
        Expect(headers={"Location": "~ ."}),
        Expect(absent=("etag",)),
        Expect(body=""),
        Expect(json={"id": "y"}),
        Expect(json={"name": "x"}),
        Expect(json={"rows": [1]}),
        Expect(has=("y",)),
        Expect(lacks=("~ i.",)),
        Expect(problem="not_found"),
    ],
)
def test_a_difference_is_found(expect: Expect) -> None:
    """Nothing that a case can expect passes when it is not so."""
    assert faults(ANSWER, expect, filler({}))


def test_of_requests_sent_together_the_worst_is_looked_at(target: Target) -> None:
    """The statuses are those of all, and the rest is expected of the greatest."""
    together = {"path": "/nowhere", "together": 2}
    for expect, fault in (
        ({"statuses": (404, 404), "problem": "unknown_route"}, ""),
        ({"statuses": (404, 404), "problem": "not_found"}, "/code"),
        ({"statuses": (200, 404)}, "the statuses are"),
    ):
        one = msgspec.convert({"title": "x", "step": [{**together, "expect": expect}]}, case.Case)
        found = run(one, target)
        assert any(fault in said for said in found) if fault else found == []


def test_what_is_captured_is_filled_in(target: Target) -> None:
    """A header by its name, a part of the answer by a slash and its name."""
    captures = {"kind": "Content-Type", "code": "/code", "nothing": "/nothing"}
    told = {"Content-Type": "${kind}"}
    steps = [
        {"path": "/nowhere", "capture": captures, "expect": {}},
        {"path": "/nowhere", "expect": {"headers": told, "json": {"code": "${code}"}}},
        {"path": "/nowhere", "expect": {"json": {"code": "${nothing}"}}},
    ]
    found = run(msgspec.convert({"title": "x", "step": steps}, case.Case), target)
    assert found == ["step 3: /code is 'unknown_route', not ''"]


def test_what_is_as_expected_passes() -> None:
    """Values, patterns, parts of a body, and headers that came twice."""
    expect = Expect(
        status=(200, 204),
        headers={"ETag": '"${version}"', "Vary": "a, b"},
        absent=("Location",),
        json={"id": "~ ^x$"},
        has=("id",),
        lacks=("y",),
    )
    assert faults(ANSWER, expect, filler({"version": "1"})) == []


def test_a_case_that_says_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A misspelt expectation would expect nothing."""
    (tmp_path / "odd.toml").write_text('title = "Odd."\n[[step]]\n[step.expect]\nstatuss = 200\n')
    monkeypatch.setattr(case, "CASES", tmp_path)
    with pytest.raises(msgspec.ValidationError, match="statuss"):
        case.read("odd")
