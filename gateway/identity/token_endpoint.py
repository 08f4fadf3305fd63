"""The token endpoint: Authlib's framework-free server with our consumers and our tokens."""

import hmac
from collections.abc import Mapping
from typing import Any, Protocol, cast
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import AuthorizationServer, ClientMixin, InvalidScopeError, OAuth2Request
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from gateway.exchange import Header, Reply, json_reply
from gateway.plans import Consumer, expand

GRANT_TYPE = "client_credentials"
LIFETIME_SECONDS = 3600
AUTH_METHODS = ["client_secret_basic", "client_secret_post"]


class Issuing(Protocol):
    """What the endpoint needs of its issuer."""

    consumers: Mapping[str, Consumer]
    scopes: tuple[str, ...]

    def client_secret(self, consumer: str) -> str: ...

    def mint(self, consumer: str, *, scopes: Any, lifetime: int) -> str: ...


class _Client(ClientMixin):
    """A consumer as Authlib's server sees it."""

    def __init__(self, issuer: Issuing, name: str) -> None:
        self.name = name
        self._issuer = issuer

    def get_client_id(self) -> str:
        return self.name

    def get_allowed_scope(self, scope: Any) -> str:
        granted = expand(self._issuer.consumers[self.name], self._issuer.scopes)
        wanted = scope.split() if scope else granted
        return " ".join(item for item in wanted if item in granted)

    def check_client_secret(self, client_secret: str) -> bool:
        return hmac.compare_digest(client_secret.encode(), self._issuer.client_secret(self.name).encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return endpoint == "token" and method in AUTH_METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == GRANT_TYPE


class _Grant(ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS


class _Request(OAuth2Request):
    """A token request as Authlib reads it; that the transport is safe is the deployment's to see to."""

    def __init__(self, headers: dict[str, str], form: dict[str, str]) -> None:
        super().__init__("POST", "https://localhost/", headers=headers)
        self.payload = BasicOAuth2Payload(form)

    @property
    def form(self) -> dict[str, str]:
        return self.payload.data  # pyright: ignore[reportOptionalMemberAccess]


class TokenEndpoint(AuthorizationServer):
    """Answers client credentials (RFC 6749 §4.4); its errors are OAuth's own documents."""

    def __init__(self, issuer: Issuing) -> None:
        super().__init__(scopes_supported=list(issuer.scopes))
        self._issuer = issuer
        self.register_grant(_Grant)
        self.register_token_generator("default", cast("Any", self._make_token))

    def answer(self, headers: dict[bytes, bytes], body: bytes) -> Reply:
        """The reply to a token request."""
        return cast("Reply", self.create_token_response((headers, body)))

    def query_client(self, client_id: str) -> Any:
        return _Client(self._issuer, client_id) if client_id in self._issuer.consumers else None

    def save_token(self, token: Any, request: Any) -> None:
        """Nothing to save: the token says all itself."""

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Any) -> OAuth2Request:
        found, body = request
        headers = {name.decode("latin-1").title(): value.decode("latin-1") for name, value in found.items()}
        return _Request(headers, _form(body))

    def handle_response(self, status: int, body: Any, headers: Any) -> Any:
        encoded: list[Header] = [
            (name.lower().encode(), value.encode())
            for name, value in headers
            if name.lower() != "content-type"
        ]
        return json_reply(status, body, *encoded)

    def _make_token(self, *, client: _Client, scope: str | None = None, **_: Any) -> dict[str, Any]:
        allowed = client.get_allowed_scope(scope)
        if scope and not allowed:
            raise InvalidScopeError
        return {
            "access_token": self._issuer.mint(client.name, scopes=allowed.split(), lifetime=LIFETIME_SECONDS),
            "token_type": "Bearer",
            "expires_in": LIFETIME_SECONDS,
            "scope": allowed,
        }


def _form(body: bytes) -> dict[str, str]:
    """The form's fields; none when one comes twice, which must not be (RFC 6749 §3.2)."""
    try:
        pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=20)
    except ValueError:
        return {}
    found = dict(pairs)
    return found if len(found) == len(pairs) else {}
