"""How runs go on: each status of both flows has its way, and the reference page has the same table."""

import re
from pathlib import Path
from typing import Any, cast, get_args

import msgspec
import pytest

from contracts.canonical.workflow import WorkflowStatus
from kit.exceptions import OpenCase
from kit.workflows import RunRow
from process_apis.ways_on import CASE_OF_SALES, OTHER_CASE, WAYS, WayOn, way_of

PAGE = Path(__file__).parents[2] / "docs/reference/ways-on.md"
# A run that stops for a person always has a case.
NEVER_WITHOUT = {"parked"}
WITH_CASE = {"parked", "undone", "failed"}


@pytest.mark.parametrize("flow", WAYS)
def test_every_status_has_a_way_on(flow: str) -> None:
    """With and without an open case, wherever there can be one; and no other is in the table."""
    wanted = {(status, "") for status in get_args(WorkflowStatus) if status not in NEVER_WITHOUT}
    wanted |= {(status, case) for status in WITH_CASE for case in (CASE_OF_SALES, OTHER_CASE)}
    wanted.remove(("failed", CASE_OF_SALES))  # what was given up is operations' to judge
    assert set(WAYS[flow]) == wanted


@pytest.mark.parametrize("flow", WAYS)
def test_a_way_says_what_happens_and_names_who_acts_by_what(flow: str) -> None:
    """Where nobody need act there is nothing to do; otherwise there are both."""
    for way in WAYS[flow].values():
        assert way.then.endswith(".")
        assert bool(way.who) == bool(way.by)


@pytest.mark.parametrize("flow", WAYS)
def test_the_reference_page_has_the_table(flow: str) -> None:
    """State, who, by what, what happens then: row by row."""
    section = PAGE.read_text(encoding="utf-8").split(f"## {flow}\n")[1].split("\n## ")[0]
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in re.findall(r"^\|.*\|$", section, re.MULTILINE)[2:]
    ]
    assert rows == [
        (f"{status}, {case}" if case else status, way.who or "nobody", way.by or "–", way.then)
        for (status, case), way in WAYS[flow].items()
    ]


def run(**fields: Any) -> RunRow:
    """A run of which only these fields are asked for."""
    values: dict[str, Any] = dict.fromkeys(RunRow.__struct_fields__)
    return RunRow(**cast("Any", values | {"flow": "opportunity-to-project"} | fields))


def test_an_open_case_says_by_itself_who_and_what() -> None:
    """Whatever the status; without one the table does, and for what has ended nobody is waited for."""
    case = OpenCase("finance", "Decide.")
    assert way_of(run(status="undone", finished_at="then"), case) == WayOn("finance", "Decide.")
    ended = way_of(run(status="undone", finished_at="then"), None)
    assert (ended.who, ended.by) == ("", "Win the deal again, or press Activate on a won one.")
    assert way_of(run(status="running"), None).by == ""
    assert way_of(msgspec.structs.replace(run(status="waiting"), flow="another"), None) == WayOn()
