"""How callers authenticate at this deployment, as the security schemes of a document (OpenAPI 3.1)."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from gateway.identity import DevelopmentIssuer
from gateway.identity.api_keys import MARK
from gateway.identity.issuing.metadata import AUTHORIZE_PATH, TOKEN_PATH
from gateway.policies.identity import IdentitySettings

_DPOP = "An access token bound to a key (RFC 9449): Authorization: DPoP …, and a proof in the header DPoP."
_METHODS = frozenset({"get", "put", "post", "delete", "options", "head", "patch", "trace"})


class _Endpoints(NamedTuple):
    """An issuer's addresses for its clients; empty ones are in its metadata only."""

    issuer: str
    token: str
    authorization: str


class Schemes:
    """The security schemes of a deployment, for each of its documents."""

    def __init__(self, issuers: Iterable[_Endpoints], keys: str | None) -> None:
        names = ("oauth" if number == 1 else f"oauth{number}" for number in range(1, 1000))
        self._issuers = dict(zip(names, issuers, strict=False))
        self._others: dict[str, Any] = {"dpop": {"type": "http", "scheme": "DPoP", "description": _DPOP}}
        if keys is not None:
            described = f"An API key in the place of a token: Authorization: Bearer {MARK}{keys}_…"
            self._others["apiKey"] = {"type": "http", "scheme": "bearer", "description": described}

    def published(self, document: dict[str, Any]) -> dict[str, Any]:
        """The document with the schemes, each of which suffices for any of its operations."""
        components = document.get("components", {})
        scopes = _scopes(components.get("securitySchemes", {}))
        schemes = {name: _scheme(issuer, scopes) for name, issuer in self._issuers.items()} | self._others
        paths = {path: self._secured(item) for path, item in document["paths"].items()}
        return {**document, "paths": paths, "components": {**components, "securitySchemes": schemes}}

    def _secured(self, item: dict[str, Any]) -> dict[str, Any]:
        return {
            name: {**part, "security": self._alternatives(part)} if name in _METHODS else part
            for name, part in item.items()
        }

    def _alternatives(self, operation: dict[str, Any]) -> list[dict[str, list[str]]]:
        needed = [scope for one in operation.get("security", ()) for scope in one.get("oauth", ())]
        return [{name: needed} for name in self._issuers] + [{name: []} for name in self._others]


def schemes_of(
    settings: IdentitySettings, embedded: DevelopmentIssuer | None, *, for_people: bool
) -> Schemes:
    """The schemes of every credential that these settings accept; `for_people`: also the own issuer's."""
    issuers = [
        _Endpoints(one.issuer, one.token_endpoint, one.authorization_endpoint) for one in settings.issuers
    ]
    if embedded is not None:
        url = embedded.issuer
        issuers.insert(0, _Endpoints(url, url + TOKEN_PATH, url + AUTHORIZE_PATH if for_people else ""))
    return Schemes(issuers, settings.api_keys)


def _scopes(schemes: dict[str, Any]) -> dict[str, str]:
    return schemes.get("oauth", {}).get("flows", {}).get("clientCredentials", {}).get("scopes", {})


def _scheme(issuer: _Endpoints, scopes: dict[str, str]) -> dict[str, Any]:
    """An issuer's flows at its own addresses; where these are not configured, its metadata."""
    if not issuer.token:
        at = issuer.issuer.rstrip("/") + "/.well-known/openid-configuration"
        return {"type": "openIdConnect", "openIdConnectUrl": at}
    flow = {"tokenUrl": issuer.token, "scopes": scopes}
    flows: dict[str, Any] = {"clientCredentials": flow}
    if issuer.authorization:
        flows["authorizationCode"] = {"authorizationUrl": issuer.authorization, **flow}
    return {"type": "oauth2", "flows": flows}
