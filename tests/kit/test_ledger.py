"""tests/kit: the posting ledger."""

import asyncio

import msgspec
import pytest
from sqlalchemy import text

from contracts.problems import Unexpected, VendorDoubtful, VendorRejected, VendorUnavailable
from kit import ledger
from kit.database import Database


class Made(msgspec.Struct, frozen=True):
    id: str


class Vendor:
    """A vendor without a unique key: it makes one more object whenever it is asked to."""

    def __init__(self) -> None:
        self.made: list[Made] = []
        self.before: Exception | None = None
        self.after: Exception | None = None
        self.asked = 0

    async def create(self) -> Made:
        if self.before is not None:
            raise self.before
        self.made.append(Made(f"o-{len(self.made) + 1}"))
        if self.after is not None:
            raise self.after
        return self.made[-1]

    async def find(self) -> Made | None:
        self.asked += 1
        return self.made[-1] if self.made else None


async def once(
    database: Database, vendor: Vendor, *, target: str = "erp:contract", wait_out: float = 0
) -> Made:
    return await ledger.once(
        database,
        source="crm-1/opportunity/7",
        revision=1,
        target=target,
        key="k7",
        do=vendor.create,
        find=vendor.find,
        returns=Made,
        wait_out=wait_out,
    )


async def test_many_at_once_make_one(database: Database) -> None:
    """Twenty that want the same effect at once get the same object, made once."""
    vendor = Vendor()
    made = await asyncio.gather(*(once(database, vendor) for _ in range(20)))
    assert set(made) == {Made("o-1")}
    assert len(vendor.made) == 1
    assert vendor.asked == 0


async def test_targets_do_not_share_an_effect(database: Database) -> None:
    """The same source makes one object per target."""
    vendor = Vendor()
    assert await once(database, vendor) != await once(database, vendor, target="psa:project")


async def test_a_doubtful_effect_that_happened_is_found(database: Database) -> None:
    """After a timeout behind which the vendor had committed, the object is found and not made again."""
    vendor = Vendor()
    vendor.after = VendorDoubtful("no answer")
    with pytest.raises(VendorDoubtful):
        await once(database, vendor, wait_out=60)
    vendor.after = None
    assert await once(database, vendor, wait_out=60) == Made("o-1")
    assert len(vendor.made) == 1


async def test_an_empty_answer_is_not_believed_at_once(database: Database) -> None:
    """While the vendor may commit late, nothing is sent again, and the caller hears when to come back."""
    vendor = Vendor()
    vendor.before = VendorDoubtful("no answer")
    with pytest.raises(VendorDoubtful):
        await once(database, vendor, wait_out=60)
    vendor.before = None
    with pytest.raises(VendorDoubtful) as doubt:
        await once(database, vendor, wait_out=60)
    assert vendor.made == []
    assert 0 < (doubt.value.retry_after or 0) <= 5
    await _sent_a_minute_ago(database)
    assert await once(database, vendor, wait_out=60) == Made("o-1")


async def _sent_a_minute_ago(database: Database) -> None:
    async with database.begin() as connection:
        await connection.execute(text("UPDATE enfilade.ledger SET sent_at = sent_at - interval '61 seconds'"))


@pytest.mark.parametrize("refusal", [VendorUnavailable("down"), VendorRejected("no")])
async def test_what_surely_did_nothing_is_simply_sent_again(database: Database, refusal: Exception) -> None:
    """After a refusal or a connection that never was, the next attempt sends without asking."""
    vendor = Vendor()
    vendor.before = refusal
    with pytest.raises(type(refusal)):
        await once(database, vendor, wait_out=60)
    vendor.before = None
    assert await once(database, vendor, wait_out=60) == Made("o-1")
    assert vendor.asked == 0


@pytest.mark.parametrize("fault", [Unexpected("off"), RuntimeError("bug"), asyncio.CancelledError()])
async def test_any_other_end_leaves_a_doubt(database: Database, fault: BaseException) -> None:
    """A crash in the middle of the call is a doubt: the vendor is asked before anything is sent."""
    vendor = Vendor()
    vendor.after = fault  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.raises(type(fault)):
        await once(database, vendor, wait_out=60)
    vendor.after = None
    assert await once(database, vendor, wait_out=60) == Made("o-1")
    assert vendor.asked == 1


async def test_what_was_undone_is_revived_under_the_same_key(database: Database) -> None:
    """An effect that was taken back is made again when it is wanted again."""
    vendor = Vendor()
    await once(database, vendor)
    await ledger.undone(database, source="crm-1/opportunity/7", revision=1, target="erp:contract")
    assert await once(database, vendor) == Made("o-2")
    assert await once(database, vendor) == Made("o-2")
