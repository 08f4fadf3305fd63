"""Whatever the vendor: the check finds nothing in a sound account, and each fault by its kind and name."""

from typing import Any, get_args

import pytest

from contracts.system.instance import InstanceReport, Kind
from sandbox.core.golden import Provoked
from tests.conformance.conftest import ConnectorUnderTest, every_connector
from tests.conformance.records import filled

here = pytest.mark.parametrize("connector", every_connector("local"), indirect=True)


async def report_of(connector: ConnectorUnderTest, profile: Any, **more: Any) -> InstanceReport:
    limits = {"per_second": 1000}
    return await (
        await connector.opened(connector.golden.mapped, profile, limits=limits, **more)
    ).opened.check()


@here
async def test_a_sound_account_has_no_findings(connector: ConnectorUnderTest) -> None:
    """Every kind of finding is there, each is well, and says what was seen."""
    report = await report_of(connector, {})
    assert [finding for finding in report.findings if not finding.ok] == []
    assert report.ok
    assert all(finding.detail and finding.name for finding in report.findings)
    assert (report.vendor, report.environment) == (connector.vendor, "test")
    profile = connector.instance.profile
    assert (report.currency, report.time_zone) == (profile.currency, profile.time_zone)
    assert len({(finding.kind, finding.name) for finding in report.findings}) == len(report.findings)


@here
async def test_every_fault_is_found(connector: ConnectorUnderTest, open_connector: Any) -> None:
    """Login, permission, field, value, environment and limit, each provoked: found, and with what to do."""
    provoked = {one.kind for one in connector.golden.findings}
    missing = {
        kind for kind in set(get_args(Kind)) - provoked if f"check:{kind}" not in connector.golden.unseen
    }
    assert not missing, f"the stand of {connector.vendor} provokes no finding of {', '.join(sorted(missing))}"
    for one in connector.golden.findings:
        async with open_connector(f"{connector.vendor}/local/{connector.capability}") as fresh:
            await finds(fresh, one)


async def finds(connector: ConnectorUnderTest, one: Provoked) -> None:
    report = await provoke(connector, one)
    wrong = [finding for finding in report.findings if not finding.ok]
    found = [finding for finding in wrong if finding.kind == one.kind and one.name in finding.name]
    assert found, f"{one.kind} {one.name} is not found; found: {wrong}"
    assert not report.ok
    assert found[0].detail, f"{one.name} does not say what is wrong"
    assert found[0].fix, f"{one.name} does not say what to do"


async def provoke(connector: ConnectorUnderTest, one: Provoked) -> InstanceReport:
    account = connector.account
    if one.settings:
        await account.control.call("POST", "/accounts", {"name": account.name, "settings": one.settings})
    if one.seeds:
        await account.seed(filled(one.seeds, account.credentials))
    for change in one.schema:
        await account.change_schema(change)
    if one.limits:
        await account.set_limits(**one.limits)
    if one.spoils:
        await connector.spoil(one.spoils, {"status": one.status}, times=None)
    environ = {name: account.credentials[credential] for name, credential in one.environ.items()}
    return await report_of(connector, one.profile, **environ)
