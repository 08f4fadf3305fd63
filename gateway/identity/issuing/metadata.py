"""The addresses of well-known documents, and the metadata of the embedded issuer (RFC 8414)."""

from typing import Any
from urllib.parse import urlsplit

from gateway.identity.issuing import assertions
from gateway.identity.jose import ALGORITHMS

TOKEN_PATH = "/oauth/token"  # noqa: S105 - a path
AUTHORIZE_PATH = "/oauth/authorize"
REVOCATION_PATH = "/oauth/revoke"
JWKS_PATH = "/.well-known/jwks.json"
_SECRETS = ["client_secret_basic", "client_secret_post"]


def well_known(name: str, url: str) -> tuple[str, str]:
    """Path and address of a well-known document about an address: its own path comes last (RFC 8414 §3.1)."""
    parts = urlsplit(url)
    path = f"/.well-known/{name}{parts.path.rstrip('/')}"
    return path, f"{parts.scheme}://{parts.netloc}{path}"


def metadata(issuer: str, scopes: tuple[str, ...], *, for_people: bool) -> dict[str, Any]:
    """The server's metadata; without a database only features that need none."""
    document: dict[str, Any] = {
        "issuer": issuer,
        "token_endpoint": issuer + TOKEN_PATH,
        "jwks_uri": issuer + JWKS_PATH,
        "scopes_supported": list(scopes),
        "response_types_supported": [],
        "grant_types_supported": ["client_credentials"],
        "token_endpoint_auth_methods_supported": _SECRETS,
        "dpop_signing_alg_values_supported": list(ALGORITHMS),
        "service_documentation": issuer + "/apis",
    }
    if for_people:
        methods = [assertions.METHOD, *_SECRETS, "none"]
        document |= {
            "authorization_endpoint": issuer + AUTHORIZE_PATH,
            "response_types_supported": ["code"],
            "response_modes_supported": ["query"],
            "grant_types_supported": ["client_credentials", "authorization_code"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
            "token_endpoint_auth_methods_supported": methods,
            "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "revocation_endpoint": issuer + REVOCATION_PATH,
            "revocation_endpoint_auth_methods_supported": methods,
            "revocation_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
        }
    return document
