"""tests/conformance: the suite itself fails, and does not hang, whatever an adapter does with cursors."""

import asyncio
from itertools import count
from types import SimpleNamespace
from typing import Any

import pytest

from tests.conformance.common import pages


def page(*ids: str, cursor: str | None) -> Any:
    return SimpleNamespace(items=[SimpleNamespace(id=ident) for ident in ids], next_cursor=cursor)


NUMBERS = count()
BROKEN = {
    "the same page": lambda _: page("1", cursor="next"),
    "the same page, new cursors": lambda _: page("1", cursor=f"c{next(NUMBERS)}"),
    "empty pages": lambda _: page(cursor=f"c{next(NUMBERS)}"),
    "the same cursor": lambda _: page(f"i{next(NUMBERS)}", cursor="next"),
    "no end": lambda _: page(f"i{next(NUMBERS)}", cursor=f"c{next(NUMBERS)}"),
}


@pytest.mark.parametrize("kind", BROKEN)
async def test_a_broken_list_fails(kind: str) -> None:
    """A cursor that is ignored, repeated or endless fails the suite, and does not hang it."""

    async def list_page(cursor: str | None, limit: int) -> Any:
        await asyncio.sleep(0)
        return BROKEN[kind](cursor)

    async with asyncio.timeout(5):
        with pytest.raises(AssertionError):
            await pages(list_page, 2, most=50)


async def test_a_sound_list_is_read_to_its_end() -> None:
    """Each item once, in order; an empty last page is no fault."""
    told = {None: page("1", "2", cursor="a"), "a": page("3", cursor="b"), "b": page(cursor=None)}

    async def list_page(cursor: str | None, limit: int) -> Any:
        return told[cursor]

    assert [item.id for item in await pages(list_page, 2)] == ["1", "2", "3"]
