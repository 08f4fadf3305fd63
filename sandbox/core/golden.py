"""What a vendor stores for each noun and what that must read as: the data of the conformance suites.

In a form's fields and in what is expected, ``$name`` is the id of the record that an earlier step made,
``{n}`` a number where many are made, and ``*`` any value that is not empty.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Raw = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """A record that a person creates in the vendor's screens; a raw one is inserted unchecked."""

    name: str
    table: str
    fields: Raw
    raw: bool = False


@dataclass(frozen=True)
class State:
    """A record that differs from the whole one in some fields of its last step, and what differs in ours.

    A canonical field that is None is absent. With `then` the record is edited after its creation.
    """

    name: str
    fields: Raw
    reads: Raw
    then: Raw = field(default_factory=dict)


@dataclass(frozen=True)
class Form:
    """One record of a noun as the vendor has it, at an instant of the vendor's clock, and as it must read.

    The last step makes the record itself. `listed` is what differs in a list, which may show less.
    """

    steps: tuple[Step, ...]
    reads: Raw
    at: str
    listed: Raw = field(default_factory=dict)


class Spoil(NamedTuple):
    """A call to spoil, by method and a pattern of its path; `broken` is a 200 that is off the vendor's schema."""

    method: str
    path: str
    broken: Any


@dataclass(frozen=True)
class Children:
    """A list inside a noun that comes in pages of its own: `count` of them are inserted raw.

    `spoils` is the call that reads them; `limits` makes the stand-in's pages shorter where its own are too long for a test.
    """

    field: str
    table: str
    fields: Raw
    count: int
    spoils: Spoil
    limits: Raw = field(default_factory=dict)


@dataclass(frozen=True)
class NounForms:
    """A noun of one vendor: with every field, with no optional one, in every state, many, and as we write it.

    `lacks` are canonical fields and values (``field=value``) that the vendor does not have, each with the
    reason. `written` is what the vendor has after the suite's draft was written, beside the `owners` that it
    hangs on: new records whole, of changed ones the changed fields, by table; `undone` is the same after it
    was taken back, and `read_back` what it reads as. `many` is a raw record by table, `edit` what a person
    changes. `odd` are raw fields, as in `many`, with which a record is off the vendor's schema;
    a listed noun that cannot be has its reason in `unseen` (``odd:noun``).
    """

    whole: Form
    empty: Form
    states: tuple[State, ...] = ()
    lacks: Mapping[str, str] = field(default_factory=dict)
    many: Mapping[str, Raw] = field(default_factory=dict)
    children: tuple[Children, ...] = ()
    owners: tuple[Step, ...] = ()
    written: Mapping[str, Sequence[Raw]] = field(default_factory=dict)
    undone: Mapping[str, Sequence[Raw]] = field(default_factory=dict)
    read_back: Raw = field(default_factory=dict)
    edit: Raw = field(default_factory=dict)
    odd: Raw = field(default_factory=dict)


@dataclass(frozen=True)
class Provoked:
    """How a finding of the check is provoked: by the account's settings, schema, limits or calls, or a profile.

    `name` is part of the name of the finding that must appear. `seeds` are raw records, in which ``$name`` is
    a credential of the account; `environ` names the credential that replaces a variable of ours.
    """

    kind: str
    name: str
    settings: Raw = field(default_factory=dict)
    seeds: Mapping[str, tuple[Raw, ...]] = field(default_factory=dict)
    environ: Mapping[str, str] = field(default_factory=dict)
    schema: tuple[Raw, ...] = ()
    profile: Raw = field(default_factory=dict)
    limits: Raw = field(default_factory=dict)
    spoils: tuple[str, str] | None = None
    status: int = 403


@dataclass(frozen=True)
class Push:
    """How the vendor signs a push about a noun: headers and body, by credentials, an id and a time."""

    signed: Callable[[Mapping[str, Any], str, float], tuple[dict[str, str], bytes]]
    noun: str
    stale_seconds: float = 3600


@dataclass(frozen=True)
class Notice:
    """The whole change that must be reported when a person deletes, merges or restores a record of a noun.

    ``$noun`` is the record, ``$other`` the one that a merger leaves.
    """

    noun: str
    reads: Raw


@dataclass(frozen=True)
class Golden:
    """All that the suites on content must know of a vendor.

    `schema` and `profile` complete the account and the example profile, so that every canonical field has a
    place; `mapped` is what that profile lacks on purpose, so that a check finds nothing else. `calls` are the
    calls of an operation that a test spoils, `budget` how many a repetition of it may make. `stamps` are raw
    fields that a mere save changes, `journals` tables in which the vendor records what
    happened. `notices` are what is reported of a record that was ``deleted``, ``merged`` or ``restored``;
    a vendor that says nothing of it has the kind in `unseen`. `unseen` are changes and findings (``check:kind``) that the vendor does not show, and
    `equivalent` mutants that change nothing at this vendor; both with the reason.
    """

    nouns: Mapping[str, NounForms] = field(default_factory=dict)
    schema: tuple[Raw, ...] = ()
    profile: Raw = field(default_factory=dict)
    seeds: Mapping[str, tuple[Raw, ...]] = field(default_factory=dict)
    calls: Mapping[str, tuple[Spoil, ...]] = field(default_factory=dict)
    budget: Mapping[str, int] = field(default_factory=dict)
    stamps: frozenset[str] = frozenset()
    journals: frozenset[str] = frozenset()
    mapped: Raw = field(default_factory=dict)
    findings: tuple[Provoked, ...] = ()
    push: Push | None = None
    notices: Mapping[str, Notice] = field(default_factory=dict)
    unseen: Mapping[str, str] = field(default_factory=dict)
    equivalent: Mapping[str, str] = field(default_factory=dict)
