"""The Salesforce stand-in's SOQL words: a query cut into words, and the complaint about a bad one."""

import re
from dataclasses import dataclass

from sandbox.salesforce.errors import Refused, bad_request

PATTERN = re.compile(
    r"""\s*(?:
      (?P<string>'(?:[^'\\]|\\.)*')
    | (?P<datetime>\d{4}-\d{2}-\d{2}T[0-9:.]+(?:Z|[+-]\d{2}:?\d{2}))
    | (?P<date>\d{4}-\d{2}-\d{2})
    | (?P<number>-?\d+(?:\.\d+)?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*(?::\d+)?)
    | (?P<sign><=|>=|!=|<>|[=<>(),:])
    )""",
    re.VERBOSE,
)
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f"}


@dataclass(frozen=True)
class Word:
    kind: str
    text: str
    at: int

    def is_(self, *words: str) -> bool:
        return self.kind in {"name", "sign"} and self.text.upper() in words


def cut(text: str) -> list[Word]:
    """All words and an end. Raises: Refused."""
    words, at = [], 0
    while text[at:].strip():
        found = PATTERN.match(text, at)
        if not found:
            start = at + len(text[at:]) - len(text[at:].lstrip())
            token = text[start : start + 10].partition(" ")[0]
            raise malformed(text, start, f"unexpected token: '{token}'")
        kind = str(found.lastgroup)
        words.append(Word(kind, found[kind], found.start(kind)))
        at = found.end()
    words.append(Word("end", "<EOF>", len(text)))
    return words


def where_at(text: str, at: int) -> str:
    """The vendor's pointer into a query."""
    row, column = text.count("\n", 0, at) + 1, at - (text.rfind("\n", 0, at) + 1) + 1
    line = text[max(0, at - 40) : at + 40].replace("\n", " ")
    return f"\n{line}\n{' ' * min(at, 40)}^\nERROR at Row:{row}:Column:{column}\n"


def malformed(text: str, at: int, what: str) -> Refused:
    return bad_request("MALFORMED_QUERY", where_at(text, at) + what)


def not_imitated(text: str, at: int, what: str) -> Refused:
    """What the vendor knows and the stand-in does not: refused in the vendor's form, and named as such."""
    return malformed(text, at, f"{what} is not imitated by this stand-in")


def unknown_column(text: str, at: int, field: str, entity: str) -> Refused:
    return bad_request(
        "INVALID_FIELD",
        f"{where_at(text, at)}No such column '{field}' on entity '{entity}'. If you are attempting to use a "
        "custom field, be sure to append the '__c' after the custom field name. Please reference your WSDL "
        "or the describe call for the appropriate names.",
    )


def unknown_relation(text: str, at: int, name: str) -> Refused:
    return bad_request(
        "INVALID_FIELD",
        f"{where_at(text, at)}Didn't understand relationship '{name}' in field path. "
        "If you are attempting to use a custom relationship, be sure to append the '__r' after the custom "
        "relationship name. Please reference your WSDL or the describe call for the appropriate names.",
    )


def unknown_object(text: str, at: int, name: str) -> Refused:
    return bad_request(
        "INVALID_TYPE",
        f"{where_at(text, at)}sObject type '{name}' is not supported. If you are attempting to use a custom "
        "object, be sure to append the '__c' after the entity name. Please reference your WSDL or the "
        "describe call for the appropriate names.",
    )


def unquote(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: ESCAPES.get(m[1], m[1]), text[1:-1])
