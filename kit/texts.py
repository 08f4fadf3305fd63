"""kit: text from outside, so that it can be stored and shown.

PostgreSQL takes no U+0000, UTF-8 has no lone surrogates, and a terminal obeys control characters.
"""

import re
from typing import Any

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
# C0, DEL and C1, lone surrogates, line and paragraph separators, and what reorders or hides its neighbours.
# The joiners U+200C and U+200D stay: Persian, Indian scripts and emoji need them.
UNSEEN = re.compile(
    "[\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\ud800-\udfff\U000e0000-\U000e0fff]"
)


def is_storable(text: str) -> bool:
    """Whether a text can be stored as it is."""
    return _UNSTORABLE.search(text) is None


def storable(text: str) -> str:
    r"""The text, with what cannot be stored as an escape such as `\x00`."""
    return _UNSTORABLE.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def holds_only_storable(value: Any) -> bool:
    """Whether every text of a JSON value, names included, can be stored."""
    match value:
        case str():
            return is_storable(value)
        case dict():
            return all(is_storable(name) and holds_only_storable(each) for name, each in value.items())
        case list():
            return all(map(holds_only_storable, value))
        case _:
            return True


def sentence(text: str) -> str:
    """A text that ends as a sentence does: a stop is added where it has none."""
    bare = text.rstrip()
    return f"{bare}." if bare and bare[-1] not in ".!?:…”»)" else bare


def counted(number: int, noun: str) -> str:
    """A number with its noun, which takes an s as its plural: `1 record`, `2 records`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def visible(text: str) -> str:
    """The text in one line, every character that a terminal would obey or hide as its escape."""
    return UNSEEN.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)
