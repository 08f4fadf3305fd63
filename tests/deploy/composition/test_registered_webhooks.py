"""tests/deploy: what is registered at vendors is shown, switched off and on; the doctor misses no address."""

from pathlib import Path

import msgspec
import pytest

from deploy.cli.diagnosis import _addresses  # pyright: ignore[reportPrivateUsage]
from deploy.composition.assemble import master_keys
from deploy.composition.registered_webhooks import act
from deploy.settings import ServerSettings
from kit.database import Database
from kit.secret_store import SecretStore
from kit.settings import SettingsError
from system_apis.app import connector_of
from system_apis.connector import Connector, Profile
from system_apis.connector.stored_webhooks import StoredWebhook, WebhookStore


@pytest.fixture
def settings(fresh_database_url: str, tmp_path: Path) -> ServerSettings:
    return ServerSettings(database_url=fresh_database_url, data_dir=str(tmp_path))


async def store(settings: ServerSettings, *stored: StoredWebhook) -> None:
    database = Database(settings.database_url)
    webhooks = WebhookStore(SecretStore(database, master_keys(settings, {})))
    for each in stored:
        await webhooks.write(each)
    await database.close()


async def test_switched_off_and_on(settings: ServerSettings) -> None:
    """An instance's webhooks are switched off and on again; those of others stay as they are."""
    names = ("erp-main", "hr-main")
    made = [StoredWebhook(name, "netsuite", "", "pending", secrets=("s",)) for name in names]
    await store(settings, *made)
    assert [each.instance for each in await act(settings, {}, "", "show")] == list(names)
    (off,) = await act(settings, {}, "erp-main", "remove")
    assert (off.status, off.secrets) == ("off", ())
    assert [each.status for each in await act(settings, {}, "", "show")] == ["off", "pending"]
    (again,) = await act(settings, {}, "erp-main", "register")
    assert again.status == "pending"


async def test_what_the_vendor_cannot_be_asked(settings: ServerSettings) -> None:
    """An account that cannot be opened any more is named, and what was registered there stays known."""
    profile = {"name": "erp-main", "vendor": "netsuite", "environment": "test"}
    await store(
        settings,
        StoredWebhook(
            "erp-main", "netsuite", "", "active", "https://x/hooks/erp-main", ("s",), profile=profile
        ),
    )
    with pytest.raises(SettingsError, match="erp-main"):
        await act(settings, {}, "erp-main", "remove")
    assert [each.status for each in await act(settings, {}, "", "show")] == ["active"]


def test_the_doctor_wants_a_public_address() -> None:
    """Where an instance registers its address itself, a deployment without a public one is a finding."""
    known = connector_of("netsuite")
    registers = Connector(
        "toy", "Toy", (), Profile, known.open, known.canonical_id, registers_webhooks=lambda _: True
    )
    profile = Profile(name="toy-main", vendor="toy", environment="test")
    settings = ServerSettings(database_url="")
    (finding,) = _addresses(registers, profile, settings)
    assert "ENFILADE_PUBLIC_URL" in finding.observed
    public = msgspec.structs.replace(settings, public_url="https://enfilade.example")
    assert list(_addresses(registers, profile, public)) == []
    assert list(_addresses(known, profile, settings)) == []
