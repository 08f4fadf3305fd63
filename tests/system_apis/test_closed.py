"""A broken instance is one instance away: it says what to mend, and the others are open."""

import shutil
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from contracts.problems import VendorDoubtful, VendorUnavailable
from contracts.system.crm import Crm
from contracts.system.erp import Erp
from contracts.system.psa import Psa
from deploy.settings import DEMO_CONFIG
from kit.clients import local
from kit.settings import SettingsError
from system_apis.app import open_instances, read_profiles, survey_profiles
from system_apis.connector import ConnectorContext, WebhookRequest

KANTATA = {"KANTATA_BASE_URL": "http://127.0.0.1:1", "KANTATA_TOKEN": "t"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(DEMO_CONFIG / "instances", tmp_path / "instances"))


def edit(folder: Path, name: str, old: str, new: str) -> None:
    path = folder / f"{name}.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


async def test_all_missing_secrets_of_one_instance(folder: Path) -> None:
    """Every variable that is not set is told at once, in the log and to callers; the others are open."""
    survey = survey_profiles(folder)
    with capture_logs() as logs:
        async with open_instances(
            survey.profiles, ConnectorContext(environ=KANTATA), survey.faults
        ) as opened:
            crm = local(Crm, opened["salesforce-main"].interfaces[Crm])
            with pytest.raises(VendorUnavailable) as caught:
                await crm.get_opportunity("006dM00003kRs59QAC")
            report = await opened["netsuite-main"].opened.check()
            assert opened["kantata-main"].opened.changes
            assert opened["salesforce-main"].opened.changes == ()
            assert len(opened["salesforce-main"].routers()) == 1
            assert opened["netsuite-main"].opened.webhook is not None
            with pytest.raises(VendorUnavailable):
                await opened["netsuite-main"].opened.webhook.receive(
                    WebhookRequest("POST", "https://x/hooks/y")
                )
    assert not isinstance(caught.value, VendorDoubtful)
    assert "SALESFORCE_CLIENT_ID" in caught.value.detail
    assert "SALESFORCE_" in caught.value.detail.replace("SALESFORCE_CLIENT_ID", "", 1)
    assert "restart" in caught.value.detail
    told = " ".join(finding.detail for finding in report.findings)
    names = ("NETSUITE_ACCOUNT", "NETSUITE_CLIENT_ID", "NETSUITE_CERTIFICATE_ID", "NETSUITE_PRIVATE_KEY_FILE")
    assert all(name in told for name in names)
    assert not report.ok
    assert [log["instance"] for log in logs if log["event"] == "instance_not_open"] == [
        "netsuite-main",
        "salesforce-main",
    ]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('vendor = "netsuite"', 'vendor = "netsweet"', "no vendor is named 'netsweet'"),
        ("[limits]", "[limits", "netsuite-main.toml"),
        ("poll_seconds = 5", "poll_seconds = -5", "netsuite-main.toml:"),
        ('name = "netsuite-main"', 'name = "netsuite-other"', "its file netsuite-main"),
        ('environment = "test"', 'environment = "production"', "does not open a production account"),
        ('base_url = "env:NETSUITE_BASE_URL"', 'base_url = "http://[::"', "cannot be opened"),
    ],
)
async def test_a_bad_profile(folder: Path, old: str, new: str, says: str) -> None:
    """Its instance is there, closed, with the capability that flows look for, and says what is wrong."""
    edit(folder, "netsuite-main", old, new)
    key = folder / "key.pem"
    key.write_text("k", encoding="utf-8")
    names = ("ACCOUNT", "CLIENT_ID", "CERTIFICATE_ID", "PUSH_SECRET")
    environ = {f"NETSUITE_{name}": "TSTDRV1" for name in names} | {"NETSUITE_PRIVATE_KEY_FILE": str(key)}
    environ |= {"NETSUITE_BASE_URL": "https://tstdrv1.suitetalk.api.netsuite.com", **KANTATA}
    if "production" in new:
        environ |= {
            "NETSUITE_ACCOUNT": "123456",
            "NETSUITE_BASE_URL": "https://123456.suitetalk.api.netsuite.com",
        }
    survey = survey_profiles(folder)
    context = ConnectorContext(environ=environ)
    async with open_instances(survey.profiles, context, survey.faults) as opened:
        erp = local(Erp, opened["netsuite-main"].interfaces[Erp])
        with pytest.raises(VendorUnavailable) as caught:
            await erp.get_customer("7")
        assert says in caught.value.detail
        assert opened["kantata-main"].interfaces[Psa]
        assert opened["kantata-main"].opened.changes


def test_all_faults_of_all_profiles_together(folder: Path) -> None:
    """Whoever wants profiles without a fault is told every one."""
    edit(folder, "netsuite-main", "poll_seconds = 5", "poll_seconds = -5")
    edit(folder, "kantata-main", 'vendor = "kantata"', 'vendor = "kantana"')
    with pytest.raises(SettingsError) as caught:
        read_profiles(folder)
    assert len(caught.value.faults) == 2


def test_a_shared_allowance_has_one_size(folder: Path) -> None:
    """Instances that share an allowance under other limits, or name one that is not counted, are told."""
    search = "[allowances.search]\nper_second = 5\n"
    for name, more in (("kantata-main", search), ("netsuite-main", "")):
        path = folder / f"{name}.toml"
        path.write_text(
            'allowance = "tenant-7"\n' + path.read_text(encoding="utf-8") + more, encoding="utf-8"
        )
    faults = survey_profiles(folder).faults
    assert "counts nothing by this name" in faults["kantata-main"][0]
    assert "netsuite-main" not in faults
    edit(folder, "kantata-main", search, "")
    assert (
        "shares the allowance tenant-7 with kantata-main"
        in survey_profiles(folder).faults["netsuite-main"][0]
    )
