"""tests of NetSuite's room: the check of an account says what is wrong by NetSuite's own names."""

import msgspec
import pytest

from contracts.problems import VendorRejected
from kit.settings import SettingsError
from system_apis.connector import OpenInstance
from system_apis.connector.custom_values import CustomValue
from system_apis.connector.erp import ErpRequired
from system_apis.vendors.netsuite import CONNECTOR
from system_apis.vendors.netsuite.profile import NetSuiteProfile
from tests.support.instances import Open
from tests.support.sandboxes import Account, Sandbox
from tests.system_apis.netsuite.conftest import changed, hurried


async def test_all_is_well(netsuite: OpenInstance, account: Account) -> None:
    """The story's account passes, and nothing in it was changed by looking."""
    before = await account.records("customer")
    report = await netsuite.check()
    assert [finding for finding in report.findings if not finding.ok] == []
    assert {finding.kind for finding in report.findings} == {
        "environment",
        "login",
        "permission",
        "field",
        "reference",
        "limit",
    }
    assert await account.records("customer") == before


async def test_permissions(netsuite_sandbox: Sandbox, open_netsuite: Open) -> None:
    """A role that may view orders and not edit them, and sees no schedules, is told so by permission."""
    other = await netsuite_sandbox.create_account(
        permissions={"salesOrder": "view", "billingSchedule": "none", "term": "none"}
    )
    report = await (await open_netsuite(environ=other.env)).check()
    assert [finding.name for finding in report.findings if not finding.ok] == [
        "Transactions > Sales Order (Edit)",
        "Lists > Billing Schedules (View)",
        "Lists > Billing Schedules (Edit)",
        "Reports > SuiteAnalytics Workbook (table term)",
        "term",
    ]
    await other.remove()


async def test_fields_ids_and_limits(open_netsuite: Open, profile: NetSuiteProfile, account: Account) -> None:
    """Missing and mistyped fields, ids that lead nowhere and a limit set too high are all found."""
    await account.change_schema(
        {"object": "customer", "add_field": {"name": "custentity_score", "type": "string"}}
    )
    wanted = ErpRequired(
        customer={
            "custentity_gone": CustomValue(value="x"),
            "custentity_score": CustomValue(value="1", kind="number"),
        }
    )
    wrong = changed(hurried(profile, concurrency=50), required_custom=wanted, items={"4711": "DATA"})
    report = await (await open_netsuite(wrong)).check()
    bad = {finding.name: finding for finding in report.findings if not finding.ok}
    assert set(bad) == {
        "customer.custentity_gone",
        "customer.custentity_score",
        "item 4711 (DATA)",
        "concurrency",
    }
    assert all(finding.fix for finding in bad.values())


async def test_refused_login(open_netsuite: Open, account: Account) -> None:
    """A certificate that NetSuite does not know ends the check with where to look."""
    opened = await open_netsuite(environ={**account.env, "NETSUITE_CERTIFICATE_ID": "other"})
    report = await opened.check()
    (login,) = [finding for finding in report.findings if not finding.ok]
    assert login.kind == "login"
    assert "Login Audit Trail" in login.fix
    with pytest.raises(VendorRejected, match="invalid_grant"):
        await opened.capabilities["erp"].get_customer("101")


async def test_ps256(netsuite_sandbox: Sandbox, open_netsuite: Open, profile: NetSuiteProfile) -> None:
    """An RSA certificate logs in with PS256."""
    other = await netsuite_sandbox.create_account(certificate="rsa")
    connection = msgspec.structs.replace(profile.connection, algorithm="PS256")
    opened = await open_netsuite(changed(profile, connection=connection), environ=other.env)
    assert (await opened.capabilities["erp"].list_customers()).items
    await other.remove()


@pytest.mark.parametrize(
    ("account_id", "said", "refused"),
    [
        ("123456_SB1", "test", False),
        ("123456-sb1", "test", False),
        ("TSTDRV123", "test", False),
        ("123456", "test", True),
        ("123456_SB1", "production", True),
        ("123456", "production", True),
    ],
)
async def test_environments(
    open_netsuite: Open,
    profile: NetSuiteProfile,
    account: Account,
    account_id: str,
    said: str,
    *,
    refused: bool,
) -> None:
    """A test deployment opens no production account, and no account whose id disagrees with the profile."""
    connection = msgspec.structs.replace(profile.connection, account=account_id, base_url="")
    other = changed(profile, connection=connection, environment=said)
    if refused:
        with pytest.raises(SettingsError):
            await open_netsuite(other)
    else:
        await open_netsuite(other)


async def test_production(open_netsuite: Open, profile: NetSuiteProfile) -> None:
    """A production deployment opens a production account."""
    connection = msgspec.structs.replace(profile.connection, account="123456", base_url="")
    await open_netsuite(
        changed(profile, connection=connection, environment="production"), deployment="production"
    )
    assert CONNECTOR.capabilities == ("erp",)
