"""SuiteQL text as words: names, strings, numbers and signs."""

import re
from dataclasses import dataclass

from sandbox.netsuite.problems import Refusal

SHAPE = re.compile(
    r"\s*(?:--[^\n]*|(?P<string>'(?:[^']|'')*')|(?P<quoted>\"[^\"]*\")|(?P<number>\d+(?:\.\d+)?|\.\d+)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_$#]*)|(?P<sign>\|\||<>|!=|<=|>=|[-+*/(),.<>=?]))"
)


@dataclass(frozen=True)
class Word:
    """`kind` is name, string, number, sign or end; a name's `text` is lower-cased unless it was quoted."""

    kind: str
    text: str


END = Word("end", "")


def wrong(detail: str) -> Refusal:
    """The vendor's answer to a query that it cannot run."""
    sentence = f"Invalid search query. Detailed unprocessed description follows. {detail}"
    return Refusal(400, "INVALID_PARAMETER", sentence)


def words(text: str) -> list[Word]:
    """Raises: Refusal."""
    found, place, text = [], 0, text.strip().rstrip(";").rstrip()
    while place < len(text):
        match = SHAPE.match(text, place)
        if match is None:
            raise wrong(f"Invalid or unsupported search: unexpected character at position {place + 1}.")
        place = match.end()
        word = _word(match)
        if word:
            found.append(word)
    return found


def _word(match: re.Match[str]) -> Word | None:
    kind, text = match.lastgroup, match.group().strip()
    if kind == "string":
        return Word("string", text[1:-1].replace("''", "'"))
    if kind == "quoted":
        return Word("name", text[1:-1].lower())
    if kind == "name":
        return Word("name", text.lower())
    return Word(kind, text) if kind else None
