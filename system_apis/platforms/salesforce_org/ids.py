"""system_apis: Salesforce record ids, of which there are two spellings. Pure."""

from collections.abc import Callable, Mapping

from contracts.problems import NotFound

_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_SHORT, _LONG, _BLOCK = 15, 18, 5


def checksum(short: str) -> str:
    """The three characters that extend a case-sensitive id of 15 for systems that lose case."""
    blocks = (short[start : start + _BLOCK] for start in range(0, _SHORT, _BLOCK))
    return "".join(
        _ALPHABET[sum(1 << place for place, letter in enumerate(block) if letter.isupper())]
        for block in blocks
    )


def normalise(value: str, prefix: str) -> str:
    """The id of 18 characters; raises NotFound for what cannot be the id of such a record."""
    plausible = value.isascii() and value.isalnum() and value.startswith(prefix)
    if plausible and len(value) == _SHORT:
        return value + checksum(value)
    if plausible and len(value) == _LONG and checksum(value[:_SHORT]) == value[_SHORT:]:
        return value
    raise NotFound(f"no Salesforce record has the id {value[:40]!r}")


def canonical_ids(prefixes: Mapping[str, str]) -> Callable[[str, str], str]:
    """The id of 18 characters of a record of one of our kinds, by the prefixes of their ids."""

    def canonical(kind: str, value: str) -> str:
        try:
            return normalise(value, prefixes[kind])
        except (KeyError, NotFound):
            raise NotFound(
                f"“{value[:40]}” is not the id of any {kind} in Salesforce. "
                "Copy the 15 or 18 characters as Salesforce shows them, capital letters included."
            ) from None

    return canonical
