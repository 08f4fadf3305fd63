"""What strangers wrote is printed as it is: no markup, no order to the terminal, no traceback."""

import argparse
import datetime as dt
import io
import sys
from typing import Any

import httpx
import msgspec
import pytest

from deploy import console
from deploy.cli.commands import audit, exceptions, trace
from deploy.cli.main import main
from deploy.cli.tracing import Moment
from deploy.console import Paper, print_json, print_lines, styled, table
from deploy.errors import CommandError
from deploy.people import Person

ESCAPE, BIDI, NEXT_LINE, LONE = "\x1b]0;owned\x07", "\u202e", "\x85", "\udcff"
HOSTILE = {
    "a tag that closes nothing": "[/x]",
    "a tag in a path": "/experience/crm-ui/v1/accounts/[/x]",
    "a word in brackets": "[urgent]",
    "a deal": "Umbrella [/EMEA] services",
    "a link": "[link=http://evil.example]here[/link]",
    "an emoji's name": ":warning: :boom:",
}
LINE = {"consumer": "partner-acme", "action": "crm-ui@1.get", "outcome": "403", "seq": 1, "chain": "c0"}
CASE = {
    "id": "exc_1",
    "status": "open",
    "owner": "operations",
    "what_next": "Look.",
    "stopped": "It stopped.",
    "raised_at": "2026-11-30T10:00:59.123456Z",
    "due_at": "2026-11-30T12:00:00Z",
}


def answering(found: Any) -> Person:
    """Somebody whose every question is answered like this."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=msgspec.json.encode(found)))
    return Person("anna", "http://gateway.test", "token", httpx.AsyncClient(transport=transport))


def options(*arguments: str, of: Any) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    of.configure(parser)
    return parser.parse_args(arguments)


async def listed(subject: str, *arguments: str) -> None:
    line = {**LINE, "at": "2026-11-30T10:00:00Z", "actor": "partner-acme", "subject": subject}
    await audit._list(options("list", *arguments, of=audit), answering({"items": [line]}))


def flat(printed: str) -> str:
    """What was printed, without the breaks of a narrow column."""
    return "".join(printed.split())


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_the_trail_shows_brackets_as_they_are(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A subject that looks like markup is listed letter for letter."""
    await listed(text)
    assert flat(text) in flat(capsys.readouterr().out)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
async def test_a_case_shows_brackets_as_they_are(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A deal's name that looks like markup kills neither the list of cases nor the case."""
    case = {**CASE, "why": f"{text} has no template.", "errors": [{"field": text, "detail": text}]}
    await exceptions._list(options("list", of=exceptions), answering({"items": [case]}))
    await exceptions._show(options("show", "exc_1", of=exceptions), answering(case))
    assert flat(capsys.readouterr().out).count(flat(text)) == 4


async def test_a_listed_case_has_its_id_in_one_piece(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the width of the terminal, the id can be copied; the times are to the minute."""
    monkeypatch.setattr(console, "_WIDTH_WITHOUT_TERMINAL", 20)
    case = {**CASE, "id": "exc_" + "x" * 60, "why": "No rate."}
    await exceptions._list(options("list", of=exceptions), answering({"items": [case]}))
    first, *more = capsys.readouterr().out.splitlines()
    assert first == case["id"]
    said = " ".join(" ".join(more).split())
    assert said == (
        "open, for operations, raised 2026-11-30 10:00 UTC, due 2026-11-30 12:00 UTC "
        "It stopped. No rate. Next: Look."
    )


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_path_shows_brackets_as_they_are(
    text: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """`trace` prints what a vendor or a caller named, letter for letter, in the title too."""
    monkeypatch.setattr(console, "_WIDTH_WITHOUT_TERMINAL", 400)
    moment = Moment(dt.datetime(2026, 11, 30, tzinfo=dt.UTC), "audit", text, text, 0.1, text)
    trace._show(text, [moment])
    assert flat(capsys.readouterr().out).count(flat(text)) == 4


@pytest.mark.parametrize("text", [ESCAPE, BIDI, NEXT_LINE, LONE, "a\nFAULT: b", "a\rb", "\u2028", "\x9b2J"])
def test_no_control_character_reaches_the_terminal(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """What a terminal would obey, or hide, is printed as its escape: in lines, cells, titles and errors."""
    made = table(text, text)
    made.add_row(text)
    made.add_row([text, text])
    paper = Paper(width=100)
    paper.print(made, text, styled(text, "red"))
    print_lines(text)
    printed = capsys.readouterr().out
    told = text.encode("unicode_escape").decode()
    assert flat(printed).count(flat(told)) == 8
    assert not [char for char in printed if char != "\n" and not char.isprintable()]


def test_an_error_shows_what_it_quotes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """A refusal that quotes a stranger, or an argument, is one line without any order to the terminal."""

    def refuse(_: argparse.Namespace) -> int:
        raise CommandError(f"The gateway refused anna: {ESCAPE}\nAll is well.")

    monkeypatch.setattr(trace, "run", refuse)
    assert main(["trace", "cor_1"]) == 1
    assert main(["trace", "cor_1", f"--{ESCAPE}"]) == 2
    printed = capsys.readouterr().err
    assert r"anna: \x1b]0;owned\x07\nAll is well." in printed
    assert "\x1b" not in printed


def test_stray_bytes_in_an_argument_are_told(capsys: pytest.CaptureFixture[str], monkeypatch):
    """An argument that is no text is misuse, not a traceback."""
    monkeypatch.setattr(trace, "run", lambda options: options.id.encode() and 0)
    assert main(["trace", LONE]) == 2
    assert "not valid UTF-8" in capsys.readouterr().err


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_json_stays_json(encoding: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--json` prints what was found, readable by any program and harmless to a terminal that shows it."""
    found = {"name": f"{ESCAPE}{BIDI}{NEXT_LINE}\n ✓ [/x] \U000e0041"}
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding))
    print_json(found)
    print_json([found], indent=2)
    sys.stdout.flush()
    text = written.getvalue().decode(encoding)
    first, _, second = text.partition("\n")
    assert [msgspec.json.decode(first), msgspec.json.decode(second)] == [found, [found]]
    assert not [char for char in text if char != "\n" and not char.isprintable()]


async def test_the_trails_json_is_the_answers(capsys: pytest.CaptureFixture[str]) -> None:
    """`audit list --json` gives a hostile subject back unchanged."""
    await listed(f"[/x]{ESCAPE}{BIDI}", "--json")
    assert msgspec.json.decode(capsys.readouterr().out)[0]["subject"] == f"[/x]{ESCAPE}{BIDI}"
