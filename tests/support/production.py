"""tests/support: a firm's own configuration, fit for production."""

import shutil
from pathlib import Path

from deploy.settings import DEMO_CONFIG

PUBLIC_URL = "https://api.example.com"
ISSUER = "https://login.example.com/"

_GATEWAY = f"""\
[identity]
api_keys = "live"

[[identity.issuers]]
issuer = "{ISSUER}"
jwks_uri = "https://login.example.com/jwks.json"
audience = "{PUBLIC_URL}"
"""
_CONSUMERS = """\
[consumers.crm-app]
title = "Our CRM's page"
scopes = ["experience.crm-ui.read", "experience.crm-ui.write"]
subscriptions = { "experience/crm-ui@1" = "screens" }
"""
_EDITS = {
    "instances/salesforce-main.toml": (
        ('environment = "test"', 'environment = "production"'),
        ('events_address = "env:SALESFORCE_PUBSUB_ENDPOINT"\n', ""),
        ("events_plaintext = true", "events_plaintext = false"),
    ),
    "instances/netsuite-main.toml": (
        ('environment = "test"', 'environment = "production"'),
        ('base_url = "env:NETSUITE_BASE_URL"\n', ""),
    ),
    "instances/kantata-main.toml": (
        ('environment = "test"', 'environment = "production"'),
        ('base_url = "env:KANTATA_BASE_URL"\n', ""),
    ),
    "reference/firm.toml": (("Northbeam", "Example"),),
    "reference/rate_cards.toml": (("German rates", "Rates in Germany"),),
    "reference/delivery_templates.toml": (('"Data platform"', '"Platform"'),),
}


def production_folder(folder: Path) -> Path:
    """The folder, filled."""
    shutil.copytree(DEMO_CONFIG, folder)
    (folder / "people.toml").unlink()
    (folder / "consumers.toml").write_text(_CONSUMERS, encoding="utf-8")
    text = (folder / "gateway.toml").read_text(encoding="utf-8")
    head, _, rest = text.partition("[identity]")
    (folder / "gateway.toml").write_text(
        f"{head}{_GATEWAY}\n{rest[rest.index('# What one process bears') :]}", encoding="utf-8"
    )
    duties = folder / "duties.toml"
    rules, _, _ = duties.read_text(encoding="utf-8").partition("[[waivers]]")  # for consumers of the demo
    duties.write_text(rules, encoding="utf-8")
    for name, changes in _EDITS.items():
        for old, new in changes:
            edit(folder / name, old, new)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    """Replace a text that must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{old!r} is not in {path}"
    path.write_text(text.replace(old, new), encoding="utf-8")


def production_environment(folder: Path, database_url: str, **more: str) -> dict[str, str]:
    """The variables of a process with that configuration, its vendors' credentials made up."""
    key = folder.parent / "vendor.pem"
    key.write_text("a vendor's key, used only where one logs in", encoding="utf-8")
    return {
        "ENFILADE_DEPLOYMENT": "production",
        "ENFILADE_DATABASE_URL": database_url,
        "ENFILADE_CONFIG": str(folder),
        "ENFILADE_DATA_DIR": str(folder.parent / "data"),
        "ENFILADE_PUBLIC_URL": PUBLIC_URL,
        "ENFILADE_MASTER_KEY": "env:MASTER_KEY",
        "MASTER_KEY": "0123456789abcdef" * 4,
        "SALESFORCE_LOGIN_URL": "https://example.my.salesforce.com",
        "SALESFORCE_CLIENT_ID": "client",
        "SALESFORCE_USERNAME": "integration@example.com",
        "SALESFORCE_PRIVATE_KEY_FILE": str(key),
        "NETSUITE_ACCOUNT": "1234567",
        "NETSUITE_CLIENT_ID": "client",
        "NETSUITE_CERTIFICATE_ID": "certificate",
        "NETSUITE_PRIVATE_KEY_FILE": str(key),
        "NETSUITE_PUSH_SECRET": "0123456789abcdef" * 2,
        "KANTATA_TOKEN": "token",
        **more,
    }
