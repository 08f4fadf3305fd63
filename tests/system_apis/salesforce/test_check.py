"""tests: the check of a Salesforce org against its profile."""

import pytest

from kit.settings import SettingsError
from tests.system_apis.salesforce.conftest import one


def by_name(report):
    return {finding.name: finding for finding in report.findings}


async def test_the_story_is_well(instance):
    """The story's org fits its profile in everything."""
    report = await instance.check()
    assert [finding for finding in report.findings if not finding.ok] == []
    assert report.ok
    kinds = {finding.kind for finding in report.findings}
    assert kinds == {"login", "permission", "field", "reference", "limit", "environment"}


async def test_what_is_missing_is_named(org, open_org):
    """What is missing, mistyped, demanded or without a code is told by the vendor's names."""
    await org.change_schema({"object": "Opportunity", "remove_field": "Rate_Card__c"})
    await org.change_schema(
        {"object": "Opportunity", "retype": {"name": "Expected_Start__c", "type": "string"}}
    )
    added = {"name": "Sync_Source__c", "type": "string", "length": 40, "required": True}
    await org.change_schema({"object": "Opportunity", "add_field": added})
    codes = {"service_line": {"Data & Analytics": "DATA"}}
    (organization,) = await org.records("Organization")
    await org.edit("Organization", organization["Id"], IsSandbox=False)
    async with open_org(picklists=codes, changes={"stream": False}) as instance:
        found = by_name(await instance.check())
    assert not found["Opportunity.Rate_Card__c"].ok
    assert "string" in found["Opportunity.Expected_Start__c"].detail
    assert not found["Opportunity.Sync_Source__c (required)"].ok
    assert "'Cloud Migration'" in found["Opportunity.Service_Line__c values"].detail
    assert not found["Organization.IsSandbox"].ok
    assert all(finding.fix for finding in found.values() if not finding.ok)


async def test_few_calls_left(org, instance):
    """An allowance that runs out is told before it has."""
    await org.set_limits(daily_api_requests=100, used_api_requests=95)
    found = by_name(await instance.check())
    assert not found["DailyApiRequests"].ok


async def test_no_login(org, open_org):
    """Without a login the check ends with what to do about it."""
    async with open_org(connection={"username": "nobody@nowhere.example"}) as instance:
        report = await instance.check()
    assert [(finding.kind, finding.ok) for finding in report.findings] == [("login", False)]
    assert report.findings[0].fix
    assert await one(org, "Account", "Initech Ltd")


async def test_no_production_org_without_tls(open_org):
    """A reference that leads to an address without TLS is refused before a login is sent there."""
    safe = {"events_plaintext": False}
    with pytest.raises(SettingsError, match="in the clear"):
        async with open_org(deployment="production", environment="production", connection=safe):
            pass


async def test_no_production_org_in_a_test_deployment(open_org):
    """A test deployment does not open a production org."""
    safe = {"events_plaintext": False}
    with pytest.raises(SettingsError, match="production"):
        async with open_org(environment="production", connection=safe):
            pass
