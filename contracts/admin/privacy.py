"""What a person may ask of the deployment: all that is held about them, and that it be forgotten."""

from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta

from contracts.canonical.values import Instant
from contracts.operation import api, operation
from contracts.problems import Conflict, NotFound

Person = Annotated[
    str,
    Meta(min_length=1, max_length=300, description="A person's subject or pseudonym"),
]


class PersonNamed(msgspec.Struct, frozen=True):
    """Whose data is meant; in a body, for addresses are written down."""

    person: Person


class ErasureWanted(msgspec.Struct, frozen=True):
    """Who is to be forgotten, and why."""

    person: Person
    reason: Annotated[str, Meta(min_length=3, max_length=2000)]


class PersonalData(msgspec.Struct, frozen=True):
    """All that is held about a person.

    `fields` are the sealed fields, opened; `held` are the rows that name the pseudonym, by table.
    """

    person: str
    fields: dict[str, Any]
    held: dict[str, tuple[dict[str, Any], ...]]
    first_seen_at: Instant
    seen_at: Instant
    erased_at: Instant | None = None


class PersonErased(msgspec.Struct, frozen=True):
    """The pseudonym that remains in the records, and when the person was erased."""

    person: str
    erased_at: Instant


@api(
    "gateway",
    "privacy",
    version=1,
    summary="What a person may ask of the deployment",
    data_classes=("commercial", "financial", "personal"),
)
class Privacy(Protocol):
    """Both are recorded in the audit."""

    @operation(
        "POST",
        "/exports",
        summary="Read all that is held about a person",
        access="read",
        # Nothing changes, and the answer must not be stored for a repetition.
        idempotency="safe",
        lane="batch",
        deadline=60.0,
        problems=(NotFound,),
    )
    async def export_person(self, body: PersonNamed) -> PersonalData:
        """All that is held; raises NotFound."""
        ...

    @operation(
        "POST",
        "/erasures",
        summary="Destroy the key under which a person's data is sealed",
        access="approve",
        idempotency="natural",
        deadline=60.0,
        problems=(NotFound, Conflict),
    )
    async def erase_person(self, body: ErasureWanted) -> PersonErased:
        """The erasure; raises NotFound, and Conflict for one under a legal hold or erased before."""
        ...
