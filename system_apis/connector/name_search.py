"""system_apis: candidates for a firm by patterns of LIKE, where a vendor compares letters. Pure.

What a query finds by them may be another firm: `contracts.canonical.matching` decides. In a pattern `_`
stands for any letter.
"""

import re
from collections.abc import Callable

from contracts.canonical import matching

_DIGRAPHS = re.compile("ae|oe|ue|ss|th")  # how ä, ø, ü, ß and þ are written without them
_VOWELS = re.compile("[aeiouyаеиіоуαεηιουω]")
_CONSONANTS = re.compile("[cdglnrstz]")
_SHORT, _LEAST_LETTERS, _MOST_WORDS = 3, 2, 3


def name_condition(name: str, like: Callable[[str], str]) -> str:
    """A condition for all of a name's distinguishing words, each as it may be spelt; empty without a word.

    `like` writes the comparison of the name's column with one pattern.
    """
    words = [word for word in matching.distinguishing_words(name) if any(map(_patterns, word))]
    longest = sorted(words, key=lambda word: max(map(len, word)), reverse=True)[:_MOST_WORDS]
    alternatives = [
        " OR ".join(like(f"%{each}%") for each in sorted(set().union(*map(_patterns, word))))
        for word in longest
    ]
    return "(" + " AND ".join(f"({each})" for each in alternatives) + ")" if alternatives else ""


def domain_spellings(domain: str) -> list[str]:
    """A domain as it may be stored: as DNS has it, and in letters."""
    known = matching.domain(domain)
    return list(dict.fromkeys((known, known.encode().decode("idna")))) if known else []


def _patterns(word: str) -> set[str]:
    """A word with a sign for any letter where it may have an accent."""
    if word.isascii() and len(word) < _SHORT:
        return {word}
    spellings = (word, _DIGRAPHS.sub("_", word), _VOWELS.sub("_", word), _CONSONANTS.sub("_", word))
    return {each for each in spellings if len(each.replace("_", "")) >= _LEAST_LETTERS}
