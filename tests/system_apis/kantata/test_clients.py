"""Clients at Kantata: one workspace group per key."""

import asyncio
from typing import Any

import msgspec
import pytest

from contracts.problems import NotFound, VendorRejected
from system_apis.vendors.kantata.profile import KantataProfile
from tests.support.instances import Open
from tests.support.sandboxes import Account
from tests.system_apis.kantata.drafts import client_draft


async def test_a_client_is_a_company_group_with_our_marks(psa: Any, account: Account) -> None:
    """Name, key and both marks stand in the account; the answer refers to it."""
    client = await psa.put_client("cli-1", client_draft())
    assert (client.name, client.key) == ("Globex GmbH", "cli-1")
    assert [(ref.instance, ref.object, ref.id) for ref in client.refs] == [
        ("kantata-main", "client", client.id)
    ]
    (group,) = await account.records("workspace_groups")
    assert (group["company"], group["website"]) == (True, "https://globex.example")
    (value,) = await account.records("custom_field_values")
    assert (value["custom_field_name"], value["value"]) == ("Enfilade key", "cli-1")


async def test_putting_again_is_one_look(psa: Any, account: Account) -> None:
    """An existing client is answered as it is, a name that people changed included."""
    made = await psa.put_client("cli-1", client_draft())
    await account.edit("workspace_groups", made.id, name="Globex Group")
    await account.clear_calls()
    again = await psa.put_client("cli-1", client_draft())
    assert (again.id, again.name) == (made.id, "Globex Group")
    assert [call["method"] for call in await account.calls()] == ["GET"]
    assert await psa.get_client_by_key("cli-1") == again


async def test_a_key_that_nobody_used_is_not_found(psa: Any) -> None:
    """The account has no client of it."""
    with pytest.raises(NotFound):
        await psa.get_client_by_key("cli-none")


async def test_strangers_at_once_make_one(open_kantata: Open, account: Account) -> None:
    """The vendor's unique field keeps the second out; both answer the same client."""
    one, two = [(await open_kantata()).capabilities["psa"] for _ in range(2)]
    first, second = await asyncio.gather(
        one.put_client("cli-1", client_draft()), two.put_client("cli-1", client_draft())
    )
    assert first.id == second.id
    assert len(await account.records("workspace_groups")) == 1


async def test_a_lost_reference_is_put_back(psa: Any, account: Account) -> None:
    """A client that only its unique field shows is found and marked again."""
    made = await psa.put_client("cli-1", client_draft())
    (reference,) = await account.records("external_references")
    await account.delete("external_references", reference["id"])
    assert (await psa.put_client("cli-1", client_draft())).id == made.id
    assert (await psa.get_client_by_key("cli-1")).id == made.id
    assert len(await account.records("workspace_groups")) == 1


async def test_a_firms_own_fields_are_filled(
    open_kantata: Open, profile: KantataProfile, account: Account
) -> None:
    """What the profile demands, and what a caller adds by our word, stands in the account's fields."""
    await account.seed(
        {
            "custom_fields": [
                {"name": name, "value_type": "string", "subject_type": "WorkspaceGroup"}
                for name in ("Origin", "Industry")
            ]
        }
    )
    names = msgspec.structs.replace(profile.fields.client, custom={"industry": "Industry"})
    profile = msgspec.structs.replace(
        profile,
        fields=msgspec.structs.replace(profile.fields, client=names),
        required_custom=msgspec.structs.replace(profile.required_custom, client={"Origin": "Enfilade"}),
    )
    psa = (await open_kantata(profile)).capabilities["psa"]
    await psa.put_client("cli-1", client_draft(custom={"industry": "Energy"}))
    values = {row["custom_field_name"]: row["value"] for row in await account.records("custom_field_values")}
    assert values == {"Origin": "Enfilade", "Industry": "Energy", "Enfilade key": "cli-1"}


async def test_an_unknown_word_is_refused(psa: Any) -> None:
    """The profile must say where a caller's own word goes."""
    with pytest.raises(VendorRejected):
        await psa.put_client("cli-1", client_draft(custom={"industry": "Energy"}))
