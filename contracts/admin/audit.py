"""The audit trail as auditors read it: its lines, its anchors, and whether it was altered."""

from typing import Annotated, Any, Protocol

import msgspec
from msgspec import Meta

from contracts.canonical.values import Cursor, Id, Instant, PageSize
from contracts.operation import api, operation
from contracts.problems import NotFound

Text = Annotated[str, Meta(min_length=1, max_length=300)]
Period = Annotated[
    str, Meta(pattern=r"^[0-9]{4}(-(0[1-9]|1[0-2]))?$", description="A year, or a month of one")
]
Number = Annotated[int, Meta(ge=0, le=2**53)]
AnchorReference = Annotated[
    str,
    Meta(
        pattern=r"^[1-9][0-9]{0,15}:[0-9a-f]{64}$",
        description="Number and hash of an anchor that was stored elsewhere",
    ),
]


class AuditLine(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line: who did what with which outcome, where it stands in its chain, and its hash.

    `actor` is as stored: a machine's name or a person's pseudonym. `person` is who that is, and
    `personal` what the line has sealed about the person; both are absent once the person was erased.
    """

    chain: str
    seq: int
    at: Instant
    action: str
    outcome: str
    actor: str
    consumer: str
    subject: str
    detail: dict[str, Any]
    correlation_id: str
    previous: str
    hash: str
    person: str = ""
    personal: dict[str, Any] = {}


class AuditLines(msgspec.Struct, frozen=True, omit_defaults=True):
    items: tuple[AuditLine, ...]
    next_cursor: str | None = None


class AuditAnchor(msgspec.Struct, frozen=True):
    """The state of the trail at an instant: each chain's last number and hash, and the anchor before."""

    number: int
    at: Instant
    previous: str
    heads: dict[str, tuple[int, str]]
    hash: str


class AuditPeriod(msgspec.Struct, frozen=True):
    """A period as it is exported: every line after one anchor and up to another: none can be missing.

    The first anchor is the last before the period (0: there is none), the other the first after it (0: there
    is none yet, the period is still open). `anchors` are both of them and those between.
    """

    period: str
    after: int
    upto: int
    anchors: tuple[AuditAnchor, ...]


class AuditVerification(msgspec.Struct, frozen=True):
    """What was read, the last anchor, and every break of the trail in a sentence each.

    `set_aside` is how many lines could not be written as they were: they stand in the trail with escapes.
    """

    lines: int
    anchors: int
    last_anchor: int
    last_anchor_hash: str
    faults: tuple[str, ...]
    set_aside: int = 0


@api(
    "gateway",
    "audit",
    version=1,
    summary="The audit trail",
    data_classes=("commercial", "financial", "personal"),
)
class Audit(Protocol):
    """Read only: lines are written by the work that they record."""

    @operation("GET", "/lines", summary="List lines, newest first")
    async def list_lines(
        self,
        action: Text | None = None,
        actor: Text | None = None,
        subject: Text | None = None,
        correlation_id: Text | None = None,
        since: Instant | None = None,
        until: Instant | None = None,
        cursor: Cursor | None = None,
        limit: PageSize = 50,
    ) -> AuditLines:
        """A page of lines; `actor` is a machine's name, a person's subject or a pseudonym."""
        ...

    @operation("GET", "/lines/{chain}/{seq}", summary="Read a line", problems=(NotFound,))
    async def get_line(self, chain: Id, seq: Number) -> AuditLine:
        """The line with what is sealed in it; raises NotFound."""
        ...

    @operation("GET", "/verification", summary="Verify the whole trail", lane="batch", deadline=300.0)
    async def verify(self, anchor: AnchorReference | None = None) -> AuditVerification:
        """Every break of the trail, also against an anchor stored elsewhere when one is given."""
        ...

    @operation("GET", "/periods/{period}", summary="Read how a period is exported", lane="batch")
    async def get_period(self, period: Period) -> AuditPeriod:
        """The anchors around the period and within it."""
        ...

    @operation(
        "GET",
        "/anchors/{after}/lines",
        summary="List the lines between two anchors, in the order of their chains",
        lane="batch",
        deadline=60.0,
        problems=(NotFound,),
    )
    async def list_lines_after(
        self, after: Number, upto: Number = 0, cursor: Cursor | None = None, limit: PageSize = 200
    ) -> AuditLines:
        """A page of lines after an anchor (0: from the beginning) and up to another (0: to the end)."""
        ...
