"""Well-known addresses: the deployment's APIs (RFC 9727), and who hears of a weakness (RFC 9116)."""

import datetime as dt
from collections.abc import Iterable
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from gateway.exchange import Exchange, PipelineStep, Reply

API_CATALOG = "api-catalog"
SECURITY_TXT = "/.well-known/security.txt"
_LINKSET = 'application/linkset+json; profile="https://www.rfc-editor.org/info/rfc9727"'
_Address = Annotated[str, Meta(pattern=r"^(https://|mailto:|tel:)\S+$")]


class SecurityTxtSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The fields of security.txt (RFC 9116): `contacts`, the preferred first, are right until `expires`."""

    contacts: Annotated[tuple[_Address, ...], Meta(min_length=1)]
    expires: Annotated[dt.datetime, Meta(tz=True)]
    encryption: _Address | None = None
    policy: _Address | None = None
    acknowledgments: _Address | None = None
    preferred_languages: tuple[str, ...] = ()


def api_catalog(apis: Iterable[dict[str, Any]], public_url: str, address: str) -> PipelineStep:
    """The catalogue as a set of links: each API's address, its document and its page (RFC 9727 §4)."""
    listed = list(apis)
    linkset: list[dict[str, Any]] = [
        {"anchor": address, "item": [{"href": public_url + api["base"]} for api in listed]},
        *(
            {
                "anchor": public_url + api["base"],
                "service-desc": [{"href": public_url + api["openapi"], "type": "application/json"}],
                "service-doc": [{"href": public_url + api["page"], "type": "text/html"}],
            }
            for api in listed
        ),
    ]
    return _always(_LINKSET, msgspec.json.encode({"linkset": linkset}))


def security_txt(settings: SecurityTxtSettings, public_url: str) -> PipelineStep:
    """The document, with its own address as the canonical one."""
    fields = [("Contact", contact) for contact in settings.contacts]
    fields += [
        ("Expires", settings.expires.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")),
        ("Encryption", settings.encryption or ""),
        ("Acknowledgments", settings.acknowledgments or ""),
        ("Preferred-Languages", ", ".join(settings.preferred_languages)),
        ("Canonical", public_url + SECURITY_TXT),
        ("Policy", settings.policy or ""),
    ]
    lines = "".join(f"{name}: {value}\n" for name, value in fields if value)
    return _always("text/plain; charset=utf-8", lines.encode())


def _always(kind: str, body: bytes) -> PipelineStep:
    async def answer(_: Exchange) -> Reply:
        headers = [(b"content-type", kind.encode()), (b"cache-control", b"public, max-age=300")]
        return Reply(200, headers, body)

    return answer
