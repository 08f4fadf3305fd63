"""What the conformance suites must know of a vendor and no interface says: its calls, what spoils them.

A vendor's folder declares `STAND` in its `stand.py`.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.core.golden import Golden

Call = tuple[str, str]
"""A method, and a pattern that is searched in the path with its query."""


@dataclass(frozen=True)
class Noun:
    """How a vendor stores one noun: its raw record type, and the call that creates it."""

    records: str
    creates: Call
    reads: Call = ("", "")


@dataclass(frozen=True)
class RequiredField:
    """A field that a firm adds and requires: the change of the account's schema, and the profile's line."""

    noun: str
    name: str
    value: str
    schema: dict[str, Any]
    profile: str


@dataclass(frozen=True)
class Stand:
    """One vendor's stand-in: the call by which a noun is read, how each is created, and extra settings.

    `breaks` is an answer of status 200 that is off the vendor's schema. A vendor whose tokens are valid
    until an administrator revokes them does not log in again. `deal` creates an open deal by its canonical
    fields, in an account of the stand-in, and returns the ids of the deal and of its customer. `golden` is
    what its records must read as.
    """

    reads: Call
    nouns: dict[str, Noun] = field(default_factory=dict)
    writes: Call = ("", "")
    account: dict[str, Any] = field(default_factory=dict)
    connection: dict[str, Any] = field(default_factory=dict)
    breaks: Any = None
    logs_in_again: bool = True
    deal: Callable[..., Awaitable[tuple[str, str]]] | None = None
    golden: Golden = field(default_factory=Golden)
    effects: tuple[Call, ...] = ()
    """Every call by which a flow changes something at the vendor, in the order in which they come."""
    questions: tuple[str, ...] = ("/token",)
    """How the paths end to which a question is posted: such calls change nothing."""
    refuses: dict[str, Any] = field(default_factory=lambda: {"status": 400})
    """The fault by which the vendor refuses a write for good."""
    conflicts: dict[str, Any] = field(default_factory=dict)
    """The fault by which it says that the record was saved by others meanwhile, where it can."""
    required_field: RequiredField | None = None
    concurrency: str = ""
    """The name of the account's limit of calls at once, where it has one."""
    daily_calls: str = ""
    """The name of the account's limit of calls a day, where it has one."""
