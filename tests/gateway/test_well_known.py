"""tests/gateway: what a deployment says of itself at well-known addresses."""

import datetime as dt
from pathlib import Path

import msgspec
import pytest

from gateway.pipeline import GatewaySettings
from gateway.well_known import SecurityTxtSettings
from tests.gateway.deployment import URL, Deployment


async def test_the_apis_are_a_set_of_links(keys_folder: Path) -> None:
    """Each names its address, its document and its page, which answer (RFC 9727 §4, RFC 9264)."""
    deployment = Deployment(keys_folder)
    answer = await deployment.http.get("/.well-known/api-catalog")
    assert answer.headers["content-type"].startswith("application/linkset+json; profile=")
    catalog, *apis = answer.json()["linkset"]
    assert catalog["anchor"] == f"{URL}/.well-known/api-catalog"
    assert [item["href"] for item in catalog["item"]] == [api["anchor"] for api in apis]
    for api in apis:
        for (link,) in (api["service-desc"], api["service-doc"]):
            assert (
                await deployment.http.get(link["href"], headers={"Accept": link["type"]})
            ).status_code == 200
    assert (await deployment.http.head("/.well-known/api-catalog")).status_code == 200


async def test_a_problems_type_is_the_address_of_its_page(keys_folder: Path) -> None:
    """Absolute, so that it means the same wherever it is read (RFC 9457 §3.1.1)."""
    deployment = Deployment(keys_folder)
    kind = (await deployment.http.get("/nowhere")).json()["type"]
    assert kind == f"{URL}/apis/problems/unknown_route"
    page = await deployment.http.get(kind, headers={"Accept": "text/html"})
    assert "What to do next" in page.text


async def test_who_hears_of_a_weakness_is_a_setting(keys_folder: Path) -> None:
    """The document has contacts, and until when it is right (RFC 9116 §2.5); without them there is none."""
    settings = SecurityTxtSettings(
        ("mailto:security@firm.example", "https://firm.example/report"),
        dt.datetime(2027, 1, 1, tzinfo=dt.UTC),
        preferred_languages=("en", "de"),
    )
    deployment = Deployment(keys_folder, GatewaySettings(security_txt=settings))
    answer = await deployment.http.get("/.well-known/security.txt")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    assert answer.text.splitlines() == [
        "Contact: mailto:security@firm.example",
        "Contact: https://firm.example/report",
        "Expires: 2027-01-01T00:00:00Z",
        "Preferred-Languages: en, de",
        f"Canonical: {URL}/.well-known/security.txt",
    ]
    assert (await Deployment(keys_folder).http.get("/.well-known/security.txt")).status_code == 404


@pytest.mark.parametrize(
    "contact", ["security@firm.example", "http://firm.example", "mailto:a b", "https://x\nExpires: 1"]
)
def test_a_contact_is_an_address(contact: str) -> None:
    """With a scheme, encrypted, and of one line (RFC 9116 §2.5.3)."""
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert({"contacts": [contact], "expires": "2027-01-01T00:00:00Z"}, SecurityTxtSettings)
