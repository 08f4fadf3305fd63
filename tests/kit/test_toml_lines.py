"""tests/kit: on which line a setting stands."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kit.toml_lines import line_of, lines_of

STORY = Path(__file__).parents[2] / "deploy" / "demo_config"

ODD = '''\
top = "a # no comment" # one
"quoted key" = 'x'
a.b.c = [1,
  2, # two
  { d = """
three ] lines }
""" },
]
[[many]]
name = 'one'
[many.below]
x = 1
[[many]]
name = "two"
[[many.deeper]]
y = 2
[odd."with dot"]
when = 2026-01-01T00:00:00Z
'''


def places(value: Any, place: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from (found := [f"{place}.{name}" if place else name])
            yield from places(inner, found[0])
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield f"{place}[{index}]"
            yield from places(inner, f"{place}[{index}]")


@pytest.mark.parametrize("path", sorted(STORY.rglob("*.toml")), ids=lambda path: path.name)
def test_every_place_of_the_storys_files_has_its_line(path: Path):
    """Whatever the parser finds in a file, we say where."""
    text = path.read_text(encoding="utf-8")
    assert set(places(tomllib.loads(text))) == set(lines_of(text))


def test_strings_comments_arrays_and_tables_of_all_kinds_are_counted_past():
    """Neither a bracket in a string nor a table in an array leads astray."""
    found = lines_of(ODD)
    assert set(places(tomllib.loads(ODD))) == set(found)
    expected = {
        "top": 1,
        "quoted key": 2,
        "a.b.c": 3,
        "a.b.c[1]": 4,
        "a.b.c[2].d": 5,
        "many[0].name": 10,
        "many[0].below.x": 12,
        "many[1].name": 14,
        "many[1].deeper[0].y": 16,
        "odd.with dot.when": 18,
    }
    assert {place: found[place] for place in expected} == expected


def test_what_is_missing_is_said_to_be_where_it_would_stand():
    """A setting that is not there has the line of its table."""
    assert line_of(lines_of(ODD), "many[1].deeper[0].z") == 15
    assert line_of({}, "nothing") == 1
