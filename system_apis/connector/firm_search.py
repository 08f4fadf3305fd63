"""system_apis: candidates for a firm by patterns of SQL's LIKE, where a vendor compares letters. Pure.

What a query finds by them may be another firm: `contracts.canonical.matching` decides. In a pattern `_`
stands for any letter. Column names come from the profile, whose schema checks their shape.
"""

import re
from collections.abc import Iterator

from contracts.canonical import matching

_DIGRAPHS = re.compile("ae|oe|ue|ss|th")  # how ä, ø, ü, ß and þ are written without them
_VOWELS = re.compile("[aeiouyаеиіоуαεηιουω]")
_CONSONANTS = re.compile("[cdglnrstz]")
_SHORT, _LEAST_LETTERS, _MOST_WORDS = 3, 2, 3


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def by_number(column: str, tax_number: str) -> Iterator[str]:
    """The number with or without its country's letters and endings, however it is grouped."""
    _, bare = matching.tax_number(tax_number)
    if column and bare:
        yield _like(_stripped(f"UPPER({column})", " -./"), f"%{bare}%")


def by_name(column: str, name: str) -> Iterator[str]:
    """All of the name's distinguishing words, each as it may be spelt."""
    words = [word for word in matching.distinguishing_words(name) if any(map(_patterns, word))]
    longest = sorted(words, key=lambda word: max(map(len, word)), reverse=True)[:_MOST_WORDS]
    stripped = _stripped(f"LOWER({column})", " .-'’")
    spelt = [
        " OR ".join(_like(stripped, f"%{each}%") for each in sorted(set().union(*map(_patterns, word))))
        for word in longest
    ]
    if spelt:
        yield "(" + " AND ".join(f"({each})" for each in spelt) + ")"


def by_domain(email: str, website: str, domain: str) -> Iterator[str]:
    """The domain as DNS has it, and in letters."""
    known = matching.domain(domain)
    for host in dict.fromkeys((known, known.encode().decode("idna"))) if known else ():
        yield _like(f"LOWER({email})", f"%@{host}%")
        yield _like(f"LOWER({website})", f"%{host}%")


def _like(column: str, pattern: str) -> str:
    return f"{column} LIKE {literal(pattern)}"


def _patterns(word: str) -> set[str]:
    """A word with a sign for any letter where it may have an accent."""
    if word.isascii() and len(word) < _SHORT:
        return {word}
    spellings = (word, _DIGRAPHS.sub("_", word), _VOWELS.sub("_", word), _CONSONANTS.sub("_", word))
    return {each for each in spellings if len(each.replace("_", "")) >= _LEAST_LETTERS}


def _stripped(column: str, characters: str) -> str:
    for each in characters:
        column = f"REPLACE({column}, {literal(each)}, '')"
    return column
