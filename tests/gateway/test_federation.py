"""tests/gateway: people of a firm's own identity provider, whose groups become roles here."""

import json
import threading
import time
from collections.abc import AsyncIterator, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwk, jws

from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer, decode
from kit.settings import SettingsError
from tests.gateway.deployment import PLANS, Deployment, problem

CONSUMERS = {
    "desk": Consumer(title="Desk", scopes=("process.works.*",), roles=("finance", "controlling")),
    "screen": Consumer(title="Screen", scopes=("process.works.*",)),
}


class Provider:
    """A stand-in for a firm's OpenID provider: signs tokens, and shows its keys at an address."""

    def __init__(self) -> None:
        self.key = jwk.RSAKey.generate_key(2048)
        keys = {"keys": [{**self.key.as_dict(private=False), "kid": "k-1", "use": "sig"}]}

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = json.dumps(keys).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def sign(self, header: dict[str, Any], **claims: Any) -> str:
        now = int(time.time())
        content = {
            "iss": self.url,
            "sub": "00u1",
            "aud": "api://enfilade",
            "iat": now,
            "exp": now + 300,
            "jti": "t-1",
            **claims,
        }
        content = {name: value for name, value in content.items() if value is not ...}
        # Not by jwt.encode, which writes a typ that not every provider writes.
        protected = {"alg": "RS256", "kid": "k-1", **header}
        return jws.serialize_compact(protected, json.dumps(content).encode(), self.key, ["RS256"])


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    """The firm's provider."""
    found = Provider()
    yield found
    found.close()


async def fetch(address: str) -> dict[str, Any]:
    async with httpx.AsyncClient() as http:
        return (await http.get(address)).json()


def settings(provider: Provider, **issuer: Any) -> GatewaySettings:
    """The settings as a firm would write them."""
    raw = {
        "identity": {
            "issuers": [
                {
                    "issuer": provider.url,
                    "jwks_uri": f"{provider.url}/keys",
                    "audience": "api://enfilade",
                    **issuer,
                }
            ],
        }
    }
    return decode(raw, GatewaySettings, "gateway.toml")


class Firm:
    """A gateway that believes the provider, and tells which roles reached it."""

    def __init__(self, folder: Path, provider: Provider, **issuer: Any) -> None:
        found = settings(provider, **issuer)
        self.provider = provider
        self.deployment = Deployment(
            folder,
            GatewaySettings(plans=PLANS, identity=found.identity),
            consumers=CONSUMERS,
            embedded=False,
            fetch=fetch,
        )

    async def roles(self, header: dict[str, Any], **claims: Any) -> list[str]:
        """The caller's roles at the tier; the call must have been let in."""
        token = self.provider.sign(header, **claims)
        auth = {"Authorization": f"Bearer {token}"}
        answer = await self.deployment.call("GET", "/process/works/v1/works/w", "", headers=auth)
        assert answer.status_code == 200, answer.text
        return answer.json().get("roles", [])


@pytest.fixture
async def entra(keys_folder: Path, provider: Provider) -> AsyncIterator[Firm]:
    """Group ids; no RFC 9068 type; the client in azp, scopes in scp, the token's id in uti."""
    firm = Firm(
        keys_folder,
        provider,
        types=["jwt"],
        consumer_claim="azp",
        scopes_claim="scp",
        id_claim="uti",
        groups_claim="groups",
        roles={"5b1f7c1e-0d0b-4f6e-9c55-7f4f6f0c0a11": ["finance"], "all-staff": ["controlling", "root"]},
    )
    async with firm.deployment.http:
        yield firm


FINANCE = "5b1f7c1e-0d0b-4f6e-9c55-7f4f6f0c0a11"
JWT = {"typ": "JWT"}
ENTRA: dict[str, Any] = {"azp": "desk", "scp": "process.works.read", "uti": "u-1", "jti": ...}


async def test_a_group_by_its_id_is_a_role(entra: Firm):
    """The configured group gives its role; one that nobody configured gives nothing."""
    assert await entra.roles(JWT, **ENTRA, groups=[FINANCE]) == ["finance"]
    assert await entra.roles(JWT, **ENTRA, groups=["11111111-0d0b-4f6e-9c55-7f4f6f0c0a11"]) == []
    assert await entra.roles(JWT, **ENTRA) == []


async def test_a_group_gives_no_more_than_its_consumer_has(entra: Firm):
    """What the consumer was not granted, no group brings."""
    claims = {**ENTRA, "groups": [FINANCE, "all-staff"]}
    assert await entra.roles(JWT, **claims) == ["controlling", "finance"]
    assert await entra.roles(JWT, **{**claims, "azp": "screen"}) == []


async def test_roles_that_the_token_names_itself_count_too(entra: Firm):
    """App roles and groups stand beside each other."""
    assert await entra.roles(JWT, **ENTRA, groups=["all-staff"], roles=["finance"]) == [
        "controlling",
        "finance",
    ]


@pytest.mark.parametrize("groups", [None, 7, {"finance": True}, [7, None, {"a": 1}], [[FINANCE]], "x"])
async def test_odd_groups_give_nothing(entra: Firm, groups: Any):
    """A claim of another shape is no group, and no failure."""
    assert await entra.roles(JWT, **ENTRA, groups=groups) == []


async def test_a_token_without_its_own_id_is_refused(entra: Firm):
    """Where ids stand in uti, a jti is none: nobody could revoke the token by it."""
    token = entra.provider.sign(JWT, **{**ENTRA, "uti": ..., "jti": "t-1"})
    auth = {"Authorization": f"Bearer {token}"}
    answer = await entra.deployment.call("GET", "/process/works/v1/works/w", "", headers=auth)
    assert "uti" in problem(answer, 401, "invalid_token")["detail"]


async def test_groups_by_name_and_scopes_in_a_list(keys_folder: Path, provider: Provider):
    """As Okta writes them: no type in the header, the client in cid, scp a list, names with spaces."""
    firm = Firm(
        keys_folder,
        provider,
        types=[""],
        consumer_claim="cid",
        scopes_claim="scp",
        groups_claim="groups",
        roles={"Finance Approvers EMEA": ["finance"]},
    )
    async with firm.deployment.http:
        claims = {"cid": "desk", "scp": ["openid", "process.works.read"]}
        assert await firm.roles({}, **claims, groups=["Everyone", "Finance Approvers EMEA"]) == ["finance"]
        assert await firm.roles({}, **claims, groups=["Finance"]) == []


async def test_roles_inside_another_claim(keys_folder: Path, provider: Provider):
    """As Keycloak writes them: realm_access.roles; what else is in there gives nothing."""
    firm = Firm(
        keys_folder,
        provider,
        types=["jwt"],
        consumer_claim="azp",
        roles_claim="",
        groups_claim="realm_access.roles",
        roles={"finance-approver": ["finance"]},
    )
    async with firm.deployment.http:
        claims = {"azp": "desk", "scope": "openid process.works.read"}
        assert await firm.roles(
            JWT, **claims, realm_access={"roles": ["offline_access", "finance-approver", "controlling"]}
        ) == ["finance"]
        for odd in ("finance-approver", ["finance-approver"], {"roles": {"finance-approver": 1}}, None):
            assert await firm.roles(JWT, **claims, realm_access=odd) == []
        assert await firm.roles(JWT, **claims, **{"realm_access.roles": ["finance-approver"]}) == ["finance"]


def test_groups_and_their_meaning_are_configured_together(provider: Provider):
    """A place without meaning, or a meaning without a place, is a mistake in the file."""
    for half in ({"groups_claim": "groups"}, {"roles": {"a": ["finance"]}}):
        with pytest.raises(SettingsError, match="set both or neither"):
            settings(provider, **half)
