"""Lines: on which line of a TOML file each setting stands; the parser reports no lines."""

import re
from bisect import bisect_right
from collections import Counter

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY = re.compile(r"[ \t]*(?:\"((?:[^\"\\]|\\.)*)\"|'([^']*)'|([A-Za-z0-9_\-]+))[ \t]*")
_STRING = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}' r"|'''.*?'{3,5}" r'|"(?:[^"\\]|\\.)*"' r"|'[^']*'", re.DOTALL
)
_SCALAR = re.compile(r"[^,\]}#\n]+")


def lines_of(text: str) -> dict[str, int]:
    """The line, from 1, of each place of a TOML text that the parser has taken: ``a.b[0].c``."""
    return _Reader(text).read()


def line_of(lines: dict[str, int], place: str) -> int:
    """The line of a place, or of the nearest one that it would stand in; 1 when there is none."""
    while place and place not in lines:
        cut = max(place.rfind("."), place.rfind("["))
        place = place[: max(cut, 0)]
    return lines.get(place, 1)


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._starts = [0, *(newline.end() for newline in re.finditer("\n", text))]
        self._lines: dict[str, int] = {}
        self._tables: Counter[str] = Counter()

    def read(self) -> dict[str, int]:
        table = ""
        self._skip()
        while self._at < len(self._text):
            if self._text[self._at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._skip()
        return self._lines

    def _skip(self) -> None:
        blank = _BLANK.match(self._text, self._at)
        self._at = blank.end() if blank else self._at

    def _mark(self, place: str) -> None:
        self._lines.setdefault(place, bisect_right(self._starts, self._at))

    def _header(self) -> str:
        many = self._text.startswith("[[", self._at)
        self._at += 2 if many else 1
        names = self._names()
        place = self._above(names[:-1])
        place = f"{place}.{names[-1]}" if place else names[-1]
        if many:
            self._tables[place] += 1
            self._mark(place)
            place = f"{place}[{self._tables[place] - 1}]"
        elif self._tables[place]:
            place = f"{place}[{self._tables[place] - 1}]"
        self._mark(place)
        self._at += 2 if many else 1
        return place

    def _above(self, names: list[str]) -> str:
        """The table that a header's first names mean: of an array of tables, the last one so far."""
        place = ""
        for name in names:
            place = f"{place}.{name}" if place else name
            self._mark(place)
            if self._tables[place]:
                place = f"{place}[{self._tables[place] - 1}]"
        return place

    def _names(self) -> list[str]:
        names: list[str] = []
        while match := _KEY.match(self._text, self._at):
            names.append(next(part for part in match.groups() if part is not None))
            self._at = match.end()
            if self._text[self._at] != ".":
                break
            self._at += 1
        return names

    def _pair(self, table: str) -> None:
        start = self._at
        names = self._names()
        place, end = table, self._at
        self._at = start
        for name in names:
            place = f"{place}.{name}" if place else name
            self._mark(place)
        self._at = end + 1  # past the equals sign
        self._value(place)

    def _value(self, place: str) -> None:
        self._skip()
        opening = self._text[self._at]
        if opening == "[":
            self._items(place)
        elif opening == "{":
            self._inline(place)
        else:
            match = (_STRING if opening in "\"'" else _SCALAR).match(self._text, self._at)
            self._at = match.end() if match else len(self._text)

    def _items(self, place: str) -> None:
        self._at += 1
        index = 0
        while self._more("]"):
            self._mark(f"{place}[{index}]")
            self._value(f"{place}[{index}]")
            index += 1

    def _inline(self, place: str) -> None:
        self._at += 1
        while self._more("}"):
            self._pair(place)

    def _more(self, closing: str) -> bool:
        """Whether another item follows; moves past the comma, or past the end."""
        self._skip()
        if self._text[self._at] == ",":
            self._at += 1
            self._skip()
        if self._text[self._at] != closing:
            return True
        self._at += 1
        return False
