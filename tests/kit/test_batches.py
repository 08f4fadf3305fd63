"""tests/kit: rows that are gathered and written together."""

from collections import deque
from collections.abc import Sequence

import pytest
from structlog.testing import capture_logs

from contracts.problems import Unavailable
from kit.batches import BatchWriter, write_apart


class Shelf:
    """Takes numbers; never a negative one, and nothing at all while it is `shut`."""

    def __init__(self) -> None:
        self.rows: list[int] = []
        self.aside: list[int] = []
        self.shut = False
        self.writes = 0

    async def write(self, rows: Sequence[int]) -> None:
        self.writes += 1
        if self.shut:
            raise Unavailable
        if min(rows) < 0:
            raise ValueError
        self.rows += rows

    async def set_aside(self, row: int, _: Exception) -> None:
        if self.shut:
            raise Unavailable
        if row == -100:
            raise ValueError
        self.aside.append(row)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def writer(shelf: Shelf, most: int = 1000) -> BatchWriter[int]:
    return BatchWriter("test.rows", shelf.write, shelf.set_aside, batch=64, most=most)


@pytest.mark.parametrize("bad", [{0}, {63}, {1, 2, 62}, set(range(64))])
async def test_a_bad_row_is_set_aside_and_the_others_keep_their_order(shelf: Shelf, bad: set[int]) -> None:
    """Wherever bad rows stand, each of them is set aside, and every other is written once, in order."""
    rows = deque(-n - 1 if n in bad else n for n in range(64))
    await write_apart(rows, shelf.write, shelf.set_aside)
    assert shelf.rows == [n for n in range(64) if n not in bad]
    assert shelf.aside == [-n - 1 for n in sorted(bad)]
    assert not rows


async def test_one_bad_row_costs_few_writes(shelf: Shelf) -> None:
    """A batch of 64 is halved down to its bad row, not written row by row."""
    await write_apart(deque([*range(40), -1, *range(23)]), shelf.write, shelf.set_aside)
    assert shelf.writes <= 20


async def test_rows_wait_while_nothing_can_be_written(shelf: Shelf) -> None:
    """They stay in order, bad ones too, and are all written later."""
    rows = writer(shelf)
    for row in (1, -2, 3):
        rows.add(row)
    shelf.shut = True
    with pytest.raises(Unavailable):
        await rows.flush()
    rows.add(4)
    shelf.shut = False
    await rows.close(1)
    assert (shelf.rows, shelf.aside, len(rows)) == ([1, 3, 4], [-2], 0)


async def test_the_oldest_go_where_too_many_wait(shelf: Shelf) -> None:
    """Beyond the bound memory does not fill up."""
    rows = writer(shelf, most=3)
    for row in range(5):
        rows.add(row)
    await rows.flush()
    assert shelf.rows == [2, 3, 4]


async def test_closing_says_what_could_not_be_written(shelf: Shelf) -> None:
    """A row that cannot even be set aside is logged as lost, as is whatever waits when nothing is written."""
    rows = writer(shelf)
    rows.add(-100)
    rows.add(1)
    with capture_logs() as logs:
        await rows.flush()
        assert shelf.rows == [1]
        rows.add(2)
        shelf.shut = True
        await rows.close(1)
    assert [line["event"] for line in logs] == ["row lost", "rows not written"]
