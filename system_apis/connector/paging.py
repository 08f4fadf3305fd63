"""system_apis: a bound for every list that is read page by page."""

from collections.abc import Hashable

from contracts.problems import ContractViolation

MOST_PAGES = 100_000


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
