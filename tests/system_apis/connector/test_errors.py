"""tests of the connector: error tables, checks and lists, which every vendor's package fills with its own."""

from collections.abc import AsyncIterator

import pytest

from contracts.problems import ContractViolation, NotFound, Problem, VendorRejected, VendorUnavailable
from kit.problems import document, from_document
from system_apis.connector.cached import ReadOnce
from system_apis.connector.checks import CheckStep, Field, Fixes, Wanted, field_finding, findings_of
from system_apis.connector.errors import (
    ALREADY_EXISTS,
    Meaning,
    Origin,
    Refusal,
    already_exists,
    faults_of,
    meaning_of,
    on_schema,
    problem_of,
)
from system_apis.connector.findings import well
from system_apis.connector.paging import keyset, page_of

TABLE = (
    Meaning(VendorRejected, "another record has it", 409, text="already (taken|used)", fault=ALREADY_EXISTS),
    Meaning(VendorUnavailable, "busy", 503, wait=7.0, nothing_done=True),
    Meaning(NotFound, "there is no such record", code="GONE"),
)
ORIGIN = Origin("toy-main", "req-1", 409)


def test_the_first_line_that_fits_is_the_meaning() -> None:
    """By status, code and sentence, of which each may be left out."""
    assert meaning_of(TABLE, 409, Refusal(text="Name was ALREADY USED")) is TABLE[0]
    assert meaning_of(TABLE, 409, Refusal("GONE")) is TABLE[2]
    assert meaning_of(TABLE, 409, Refusal(text="other")) is None


@pytest.mark.parametrize("meaning", TABLE, ids=lambda meaning: meaning.problem.__name__)
def test_every_problem_has_its_origin_also_after_a_hop(meaning: Meaning) -> None:
    """Instance and the vendor's request id, for a 404 as for a 5xx."""
    problem = problem_of(ORIGIN, meaning)
    for one in (problem, from_document(document(problem))):
        assert type(one) is meaning.problem
        assert (one.instance, one.vendor_request_id) == ("toy-main", "req-1")
        assert one.retry_after == meaning.wait


def test_a_duplicate_has_one_code_at_every_vendor() -> None:
    """Also where the refusal names no field; and a name that is no field's is not shown."""
    assert already_exists(problem_of(ORIGIN, TABLE[0]))
    assert [fault.field for fault in faults_of(Refusal(fields=("Name", "<b>")), "x", "y")] == ["Name"]
    assert problem_of(ORIGIN, TABLE[1]).nothing_done  # pyright: ignore[reportAttributeAccessIssue]


def test_what_is_off_its_schema_is_a_violation() -> None:
    """Whatever went wrong inside, nothing of the answer is quoted."""
    with (
        pytest.raises(ContractViolation, match="a row does not match its schema") as caught,
        on_schema("toy-main", "a row"),
    ):
        int("secret")
    assert "secret" not in caught.value.detail
    assert caught.value.instance == "toy-main"


async def test_a_check_ends_with_the_step_that_it_needs() -> None:
    """A refusal is a finding; a lenient step may be refused; nothing follows a needed one that failed."""

    async def seen() -> str:
        return "seen"

    async def refused() -> str:
        raise VendorRejected("no", instance="toy-main")

    async def several() -> AsyncIterator:
        async def each() -> AsyncIterator:
            yield well("field", "a", "there")
            yield well("field", "b", "there")

        return each()

    steps = [
        CheckStep("permission", "one", seen),
        CheckStep("limit", "two", refused, lenient=True),
        CheckStep("field", "three", several),
        CheckStep("login", "four", refused, "log in", needed=True),
        CheckStep("permission", "five", seen),
    ]
    found = await findings_of(steps)
    assert [(one.name, one.ok) for one in found] == [
        ("one", True),
        ("two", True),
        ("a", True),
        ("b", True),
        ("four", False),
    ]
    assert found[-1].fix == "log in"


@pytest.mark.parametrize(
    ("field", "kind", "detail"),
    [
        (None, "field", "does not exist, or is hidden from our user"),
        (Field("date"), "field", "is of type date; string is needed"),
        (Field("string", editable=False), "permission", "our user may not edit it"),
        (Field("string", unique=False), "field", "allows the same value twice"),
        (Field("string", choices=("A",)), "reference", "has no choice 'B'"),
        (Field("string"), "field", "string, holds region"),
    ],
)
def test_a_field_is_judged_by_what_the_profile_counts_on(field, kind, detail) -> None:
    """Each fault has its own sentence; the last of these fields is well."""
    wanted = Wanted("Deal", "Region", "region", ("string",), written=True, unique=True, choices=("A", "B"))
    finding = field_finding(wanted, field, Fixes("create it"))
    assert (finding.name, finding.kind, finding.detail) == ("Deal.Region", kind, detail)
    assert finding.ok == (field == Field("string"))


async def test_a_list_in_keyset_order_ends_and_never_turns_in_a_circle() -> None:
    """The last short page ends it; a vendor that ignores the place is found out."""
    rows = list(range(7))

    async def after(place: int) -> list[int]:
        return [row for row in rows if row > place][:3]

    async def always(_: int) -> list[int]:
        return rows[:3]

    assert [page async for page in keyset("toy-main", "rows", after, int, 3, -1)] == [
        [0, 1, 2],
        [3, 4, 5],
        [6],
    ]
    with pytest.raises(ContractViolation, match="the same page twice"):
        assert [page async for page in keyset("toy-main", "rows", always, int, 3, -1)]
    shown, cursor = page_of(rows[:4], 3, lambda row: (row,))
    assert (list(shown), cursor is None) == ([0, 1, 2], False)
    assert page_of(rows[:3], 3, lambda row: (row,)) == (rows[:3], None)


async def test_what_was_read_once_is_read_again_after_a_refusal() -> None:
    """What the account lacked may have been added since."""
    reads: list[int] = []

    async def read() -> int:
        reads.append(len(reads))
        return len(reads)

    cached = ReadOnce(read)
    assert [await cached.get(), await cached.get()] == [1, 1]
    with pytest.raises(Problem), cached.refreshed_after(VendorRejected):
        raise VendorRejected("no such field", instance="toy-main")
    assert await cached.get() == 2
