"""The requests of the OAuth endpoints, read strictly: each parameter once (RFC 6749 §3.1, §3.2)."""

import base64
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749 import OAuth2Request
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6749.util import extract_basic_authorization

from gateway.exchange import Exchange
from gateway.identity.issuing.codes import Code

FORM = "application/x-www-form-urlencoded"
_MANY = 30
_LONG = 16_384


class Form:
    """Parameters by name, and the names that were repeated."""

    def __init__(self, raw: bytes) -> None:
        self.values: dict[str, str] = {}
        self.repeated: set[str] = set()
        self.broken = False
        try:
            pairs = parse_qsl(raw.decode(), keep_blank_values=True, max_num_fields=_MANY, errors="strict")
        except ValueError:
            self.broken = True
            return
        names = [name for name, _ in pairs]
        self.repeated = {name for name in names if names.count(name) > 1}
        self.broken = not all(_harmless(value) for _, value in pairs)
        self.values = {
            name: value for name, value in pairs if value
        }  # an empty value counts as absent (RFC 6749 §3.1)

    def __getitem__(self, name: str) -> str:
        return self.values.get(name, "")


def _harmless(value: str) -> bool:
    """Whether a value is bounded printable ASCII, as OAuth's parameters are (RFC 6749, appendix A)."""
    return value.isascii() and value.isprintable() and len(value) <= _LONG


class OAuthRequest(OAuth2Request):
    """A request to one of the endpoints as Authlib reads it, with the results of its processing.

    Authlib demands https; TLS is the deployment's task, so the address here is fixed.
    """

    def __init__(self, method: str, form: dict[str, str], headers: dict[str, str] | None = None) -> None:
        super().__init__(method, "https://localhost/", headers=headers)
        self.payload = BasicOAuth2Payload(form)
        self.proven_client = ""
        """The consumer whose assertion is valid."""
        self.code: Code | None = None
        """The grant of the code in the request, or of the code that answers it."""
        self.made_code = ""
        """The text of the code that answers the request."""
        self.replayed = False
        """Whether the code's client sent it a second time."""
        self.key = ""
        """The thumbprint of the key for the new token; empty for a bearer token."""
        self.given_back = ""
        """The id of the token that its client revokes."""
        self.error = ""
        """The OAuth error code of a refusal."""
        self.given: dict[str, object] = {}
        """The claims of the new token."""

    @property
    def form(self) -> dict[str, str]:
        return self.payload.data  # pyright: ignore[reportOptionalMemberAccess]

    @property
    def client_name(self) -> str:
        """The authenticated client; empty before authentication."""
        return self.client.get_client_id() if self.client else ""

    def basic_client(self) -> str:
        """The client that the Authorization header names; empty without one."""
        return extract_basic_authorization(dict(self.headers or {}))[0] or ""


def basic_header(exchange: Exchange) -> dict[str, str]:
    """The Authorization header when it is a well-formed Basic credential; empty otherwise."""
    value = exchange.headers.get(b"authorization", b"").decode("latin-1")
    kind, _, credential = value.partition(" ")
    if kind.lower() != "basic":
        return {}
    try:
        base64.b64decode(credential.strip(), validate=True).decode()
    except ValueError:  # binascii.Error and UnicodeError are such; a text that is not ASCII is one itself
        return {}
    return {"Authorization": value} if credential.strip() else {}
