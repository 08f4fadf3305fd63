"""Folding: texts that people type, without the differences that mean nothing: case, accents, punctuation."""

import unicodedata

# Letters that are no base letter with a mark, and so do not come apart by themselves.
_LETTERS = str.maketrans(
    {"ø": "o", "æ": "ae", "œ": "oe", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i", "ħ": "h", "ə": "e"}
)
_SILENT = dict.fromkeys(map(ord, "'’‘`´ʼ״׳\u00ad\u200b\u200c\u200d\ufeff"))
_FIRST_MARK, _LAST_MARK = "\u0300", "\u036f"  # those of European letters; others are part of what is written


def fold(text: str) -> str:
    """The text in plain small letters, digits and blanks; what has no Latin letters stays as it is."""
    folding = text
    while (folded := _folded(folding)) != folding:
        folding = folded
    return folding


def _folded(text: str) -> str:
    parts = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    unmarked = "".join(each for each in parts if not _FIRST_MARK <= each <= _LAST_MARK)
    plain = unicodedata.normalize("NFC", unmarked).translate(_SILENT).translate(_LETTERS)
    return " ".join("".join(each if _is_written(each) else " " for each in plain).split())


def _is_written(character: str) -> bool:
    return unicodedata.category(character)[0] in "LNM"


def words_of(text: str) -> list[str]:
    """The folded words; letters that stand alone are one word: ``S.p.A.`` is ``spa``, ``U. K.`` is ``uk``."""
    words: list[str] = []
    before = ""
    for word in fold(text).split():
        if len(word) == 1 and len(before) == 1:
            words[-1] += word
        else:
            words.append(word)
            before = word
    return words
