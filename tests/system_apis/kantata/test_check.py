"""Whether a Kantata account is as its profile says."""

import msgspec
import pytest

from contracts.problems import VendorRejected
from contracts.system.instance import InstanceReport
from deploy.settings import DEMO_CONFIG
from kit.settings import SettingsError, read_toml
from system_apis.connector import OpenInstance
from system_apis.vendors.kantata.profile import KantataProfile
from tests.support.instances import Open
from tests.support.sandboxes import Account


def faulty(report: InstanceReport) -> dict[str, str]:
    return {finding.name: finding.detail for finding in report.findings if not finding.ok}


@pytest.fixture
def profile() -> KantataProfile:
    return read_toml(DEMO_CONFIG / "instances/kantata-main.toml", KantataProfile)


async def test_the_story_is_well(kantata: OpenInstance) -> None:
    """Login, permissions, fields, choices, statuses, limits and account: all as the profile says."""
    report = await kantata.check()
    assert faulty(report) == {}
    assert report.ok
    assert {finding.kind for finding in report.findings} == {
        "login",
        "permission",
        "environment",
        "field",
        "reference",
        "limit",
    }


async def test_a_revoked_token_is_told(open_kantata: Open, account: Account) -> None:
    """Nobody can renew it but a person."""
    env = {**account.env, "KANTATA_TOKEN": "of-another-life"}
    report = await (await open_kantata(environ=env)).check()
    assert list(faulty(report)) == ["access token"]
    assert "of-another-life" not in repr(report)


async def test_a_poor_user_is_told(open_kantata: Open, account: Account) -> None:
    """A collaborator is no administrator and reads no feed."""
    env = {**account.env, "KANTATA_TOKEN": account.credentials["collaborator_token"]}
    report = await (await open_kantata(environ=env)).check()
    assert set(faulty(report)) == {"Account Administrator", "subscribed events"}


async def test_fields_that_do_not_serve_are_told(
    open_kantata: Open, profile: KantataProfile, account: Account
) -> None:
    """Missing, of the wrong type, not unique, without a choice: each has its sentence."""
    await account.seed(
        {
            "custom_fields": [
                {"name": "Loose", "value_type": "string", "subject_type": "WorkspaceGroup"},
                {"name": "Amount", "value_type": "number", "subject_type": "Workspace"},
            ]
        }
    )
    fields = msgspec.structs.replace(
        profile.fields,
        project=msgspec.structs.replace(profile.fields.project, contract_number="Amount", template="Nowhere"),
        client=msgspec.structs.replace(profile.fields.client, key="Loose"),
    )
    picklists = msgspec.structs.replace(
        profile.picklists, region={"Mars": "MARS"}, role={"Astronaut": "Consultant"}
    )
    odd = msgspec.structs.replace(profile, fields=fields, picklists=picklists)
    found = faulty(await (await open_kantata(odd)).check())
    assert found == {
        "Workspace.Amount": "is of type number; string is needed",
        "Workspace.Nowhere": "does not exist, or is hidden from our user",
        "Workspace.Region": "has no choice 'Mars'",
        "WorkspaceGroup.Loose": "allows the same value twice",
        "role: Astronaut": "does not exist",
    }


async def test_a_status_nobody_mapped_is_told(
    open_kantata: Open, profile: KantataProfile, account: Account
) -> None:
    """A project in it is refused by its name until the profile says what it, or every other one, is."""
    await account.change_schema({"object": "workspaces", "statuses": [{"key": 400, "message": "On hold"}]})
    made = await account.create("workspaces", title="Held")
    assert made["id"]
    kantata = await open_kantata()
    assert faulty(await kantata.check()) == {"project statuses": "not in [stages]: 400 On hold"}
    with pytest.raises(VendorRejected, match="“On hold”"):
        await kantata.capabilities["psa"].get_project(made["id"])
    stages = msgspec.structs.replace(profile.stages, otherwise="active")
    lenient = await open_kantata(msgspec.structs.replace(profile, stages=stages))
    assert (await lenient.capabilities["psa"].get_project(made["id"])).status == "active"


async def test_another_account_is_told(open_kantata: Open, profile: KantataProfile) -> None:
    """The vendor has one host for all accounts: only the account's number tells them apart."""
    connection = msgspec.structs.replace(profile.connection, account_id="1")
    report = await (await open_kantata(msgspec.structs.replace(profile, connection=connection))).check()
    assert set(faulty(report)) == {"account"}


async def test_a_test_deployment_opens_no_production(open_kantata: Open, profile: KantataProfile) -> None:
    """It is refused before any call."""
    with pytest.raises(SettingsError, match="production"):
        await open_kantata(msgspec.structs.replace(profile, environment="production"))


@pytest.mark.parametrize(
    "changes",
    [
        {"stages": {"planned": [], "active": [310], "closed": [520], "cancelled": [530]}},
        {"stages": {"planned": [300], "active": [300], "closed": [520], "cancelled": [530]}},
        {"environment": "production", "connection": {"token": "env:T", "base_url": "http://api.example"}},
        {"connection": {"token": "in-the-clear"}},
    ],
)
def test_a_profile_that_cannot_serve_is_refused(profile: KantataProfile, changes: dict[str, object]) -> None:
    """Missing or doubled statuses, and tokens in the clear, stop the start."""
    told = msgspec.to_builtins(profile) | changes
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(told, KantataProfile)
