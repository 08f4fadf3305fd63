"""tests/gateway: how to authenticate, as the published documents say it."""

from typing import Any

import pytest

from contracts.operation import Api
from gateway.document_security import schemes_of
from gateway.identity.tokens import Issuer
from gateway.policies.identity import IdentitySettings
from kit.operations import document
from tests.gateway.demo import Shop
from tests.gateway.deployment import URL, Deployment

ENTRA = Issuer(
    "https://login.microsoftonline.com/t/v2.0",
    jwks_uri="https://login.microsoftonline.com/t/discovery/v2.0/keys",
    token_endpoint="https://login.microsoftonline.com/t/oauth2/v2.0/token",
    authorization_endpoint="https://login.microsoftonline.com/t/oauth2/v2.0/authorize",
)
OKTA = Issuer("https://firm.okta.com/oauth2/default", jwks_uri="https://firm.okta.com/oauth2/default/v1/keys")


def _published(settings: IdentitySettings) -> dict[str, Any]:
    return schemes_of(settings, None, for_people=True).published(document(Shop))


def test_without_the_embedded_issuer_the_configured_ones_are_named() -> None:
    """Addresses are absolute and the issuer's own: its endpoints, or where its metadata is."""
    schemes = _published(IdentitySettings(issuers=(ENTRA, OKTA)))["components"]["securitySchemes"]
    flows = schemes["oauth"]["flows"]
    assert {flow["tokenUrl"] for flow in flows.values()} == {ENTRA.token_endpoint}
    assert flows["authorizationCode"]["authorizationUrl"] == ENTRA.authorization_endpoint
    assert "experience.shop.read" in flows["authorizationCode"]["scopes"]
    assert schemes["oauth2"] == {
        "type": "openIdConnect",
        "openIdConnectUrl": "https://firm.okta.com/oauth2/default/.well-known/openid-configuration",
    }


def test_keys_and_bound_tokens_are_described_where_they_are_taken() -> None:
    """An API key, or a token with a proof, is an alternative at every operation."""
    made = _published(IdentitySettings(issuers=(ENTRA,), api_keys="live"))
    assert made["components"]["securitySchemes"]["apiKey"]["scheme"] == "bearer"
    assert made["components"]["securitySchemes"]["dpop"]["scheme"] == "DPoP"
    known = made["components"]["securitySchemes"].keys()
    for item in made["paths"].values():
        for operation in item.values():
            alternatives = {name: scopes for one in operation["security"] for name, scopes in one.items()}
            assert alternatives.keys() == known
            assert len(alternatives["oauth"]) == 1
    assert "apiKey" not in _published(IdentitySettings(issuers=(ENTRA,)))["components"]["securitySchemes"]


async def test_the_embedded_issuers_addresses_are_absolute(deployment: Deployment):
    """A program that has nothing but the document knows where to get a token."""
    api: Api = deployment.apis[0].api
    made = (await deployment.http.get(f"/apis/{api.tier}/{api.name}/v{api.version}/openapi.json")).json()
    flows = made["components"]["securitySchemes"]["oauth"]["flows"]
    assert flows["clientCredentials"]["tokenUrl"] == f"{URL}/oauth/token"


def test_an_authorization_endpoint_alone_is_a_fault() -> None:
    """Who says where people sign in says where the code is exchanged."""
    with pytest.raises(ValueError, match="token_endpoint"):
        Issuer("https://x.test", authorization_endpoint="https://x.test/authorize")
