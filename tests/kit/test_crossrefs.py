"""tests/kit: cross-references."""

import asyncio

import pytest

from contracts.canonical.values import Ref
from contracts.problems import Conflict
from kit import crossrefs
from kit.database import Database


async def test_two_that_mint_at_once_get_the_same_id(database: Database) -> None:
    """However many meet a vendor's record at once, it gets one id of ours."""

    async def mint() -> str:
        async with database.begin() as connection:
            return await crossrefs.mint(
                connection, "customer", instance="crm-1", object="account", vendor_id="001", prefix="cus"
            )

    minted = await asyncio.gather(*(mint() for _ in range(10)))
    assert len(set(minted)) == 1
    assert minted[0].startswith("cus_")


async def test_several_records_may_be_one_object_of_ours(database: Database) -> None:
    """One id of ours is found from each of its records, and shows them all."""
    async with database.begin() as connection:
        for instance in ("crm-1", "crm-2"):
            await crossrefs.link(
                connection, kind="customer", id="cus_1", instance=instance, object="account", vendor_id="9"
            )
            assert await crossrefs.resolve(connection, instance, "account", "9") == "cus_1"
        await crossrefs.link(
            connection,
            kind="customer",
            id="cus_1",
            instance="crm-1",
            object="account",
            vendor_id="9",
            url="https://x",
        )
        expected = (Ref("crm-1", "account", "9", "https://x"), Ref("crm-2", "account", "9"))
        assert await crossrefs.refs(connection, "cus_1") == expected


async def test_a_record_never_changes_its_object_silently(database: Database) -> None:
    """A record that stands for one object of ours cannot be linked to another."""
    link = {"kind": "customer", "instance": "erp-1", "object": "customer", "vendor_id": "5"}
    async with database.begin() as connection:
        await crossrefs.link(connection, id="cus_1", **link)
        with pytest.raises(Conflict, match="cus_1"):
            await crossrefs.link(connection, id="cus_2", **link)
        assert await crossrefs.resolve(connection, "erp-1", "customer", "5") == "cus_1"
