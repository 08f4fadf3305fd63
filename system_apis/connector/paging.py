"""system_apis: lists that are read page by page: the place to continue at, and a bound for every list."""

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Sequence
from typing import Any, TypeVar

from contracts.problems import ContractViolation
from kit.database import encode_page

R = TypeVar("R")
P = TypeVar("P")
M = TypeVar("M")

MOST_PAGES = 100_000


def page_of(
    rows: Sequence[R], limit: int, place: Callable[[R], tuple[Any, ...]], *, more: bool = False
) -> tuple[Sequence[R], str | None]:
    """The rows of a page, and the cursor of the next one.

    One row more than requested was read, so that it shows whether there are others (or the vendor says
    `more`). `place` is a row's instant and its id, which decides between rows of one instant.
    """
    shown = rows[:limit]
    if not shown or not (more or len(rows) > limit):
        return shown, None
    return shown, encode_page(*place(shown[-1]))


async def pages(
    instance: str,
    what: str,
    read: Callable[[M], Awaitable[tuple[P, M | None]]],
    start: M,
    *,
    content: Callable[[P], Hashable] | None = None,
) -> AsyncIterator[P]:
    """Every page of a list: `read` gives the page at a mark, and the next one's mark.

    `content` identifies a page where the mark does not: a page number differs even if the list never ends.
    """
    guard, mark = PageGuard(instance, what), start
    while True:
        page, following = await read(mark)
        yield page
        if following is None:
            return
        guard.turn(content(page) if content else following)
        mark = following


def keyset(
    instance: str,
    what: str,
    read: Callable[[M], Awaitable[list[R]]],
    place: Callable[[R], M],
    size: int,
    start: M,
) -> AsyncIterator[list[R]]:
    """Every page of a list in the order of a place: `read` gives up to `size` rows beyond one."""

    async def page(mark: M) -> tuple[list[R], M | None]:
        rows = await read(mark)
        return rows, place(rows[-1]) if len(rows) == size else None

    return pages(instance, what, page, start)


class PageGuard:
    """Guards one reading of a list: each page must differ from those before, and the list must end.

    A vendor that ignores a cursor returns the same page without end.
    """

    def __init__(self, instance: str, what: str, *, most: int = MOST_PAGES) -> None:
        self._instance = instance
        self._what = what
        self._most = most
        self._seen: set[Hashable] = set()

    def turn(self, mark: Hashable) -> None:
        """Called before the next page is requested: `mark` is its place, or the content of the last page.

        Raises ContractViolation where the mark came before, or the list does not end.
        """
        if mark in self._seen:
            raise self._violation("answered the same page twice")
        self._seen.add(mark)
        if len(self._seen) > self._most:
            raise self._violation(f"gave more than {self._most} pages")

    def _violation(self, what: str) -> ContractViolation:
        return ContractViolation(f"{self._instance} {what} of a list ({self._what})", instance=self._instance)
