"""The authorization server: Authlib's framework-free classes over this gateway's consumers and tokens."""

# The stubs of Authlib are narrower than what its classes take.
# pyright: reportIncompatibleMethodOverride=false, reportIncompatibleVariableOverride=false

import hmac
from typing import Any, ClassVar, cast

from authlib.common.urls import add_params_to_uri
from authlib.oauth2.rfc6749 import (
    AuthorizationServer,
    ClientMixin,
    InvalidClientError,
    InvalidRequestError,
    InvalidScopeError,
    OAuth2Error,
)
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, ClientCredentialsGrant
from authlib.oauth2.rfc7009 import RevocationEndpoint
from authlib.oauth2.rfc7636 import CodeChallenge

from contracts.problems import challenge
from gateway.exchange import Header, Reply, json_reply
from gateway.identity.issuing import assertions
from gateway.identity.issuing.codes import Code
from gateway.identity.issuing.forms import OAuthRequest
from gateway.identity.issuing.issuer import LIFETIME_SECONDS, DevelopmentIssuer
from gateway.plans import Consumer, expand

_SECRETS = ("client_secret_basic", "client_secret_post")
_NOT_AUTHENTICATED = (
    "The client is not known, its credentials are wrong or missing, or its authentication method is another."
)
# Where Authlib's own text says less, or repeats what was sent.
_DESCRIPTIONS = {
    "invalid_scope": "The client was granted none of these scopes, or they do not exist.",
    "unsupported_grant_type": "The grant_type is none that the metadata lists.",
}
_ANY = [assertions.METHOD, *_SECRETS, "none"]


class IssuerClient(ClientMixin):
    """A consumer as Authlib's server sees it."""

    def __init__(self, issuer: DevelopmentIssuer, name: str) -> None:
        self.name = name
        self.consumer: Consumer = issuer.consumers[name]
        self._issuer = issuer

    def get_client_id(self) -> str:
        return self.name

    def get_default_redirect_uri(self) -> None:
        """None: a client must always name its redirect URI."""

    def get_allowed_scope(self, scope: Any) -> str | None:
        granted = expand(self.consumer, self._issuer.scopes)
        wanted = scope.split() if scope else granted
        allowed = [item for item in wanted if item in granted]
        return " ".join(dict.fromkeys(allowed)) or None

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """Whether it is exactly one of the registered addresses (RFC 9700 §2.1)."""
        return redirect_uri in self.consumer.client.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return hmac.compare_digest(client_secret.encode(), self._issuer.client_secret(self.name).encode())

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:  # noqa: ARG002 - the same at all
        """Whether it is the client's only method: a client with keys, or a public one, has no secret."""
        client = self.consumer.client
        if client.public:
            return method == "none"
        return method == assertions.METHOD if client.jwks else method in _SECRETS

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code" and bool(self.consumer.client.redirect_uris)

    def check_grant_type(self, grant_type: str) -> bool:
        client = self.consumer.client
        if grant_type == AuthorizationCodeGrant.GRANT_TYPE:
            return bool(client.redirect_uris)
        return grant_type == ClientCredentialsGrant.GRANT_TYPE and not client.public


class _ForMachines(ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = [assertions.METHOD, *_SECRETS]


class _ForPeople(AuthorizationCodeGrant):
    """Codes are read before and stored after: Authlib is synchronous, the database is not."""

    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = _ANY
    request: OAuthRequest

    def save_authorization_code(self, code: str, request: Any) -> None:  # noqa: ARG002 - is ours
        asked = self.request
        asked.made_code = code
        asked.code = Code(
            client=asked.form["client_id"],
            redirect_uri=asked.form["redirect_uri"],
            challenge=asked.form["code_challenge"],
            subject=str(asked.user),
            scope=asked.scope,
        )

    def query_authorization_code(self, code: str, client: IssuerClient) -> Code | None:  # noqa: ARG002 - was read
        stored = self.request.code
        if stored is None or stored.client != client.name:
            return None
        self.request.replayed = bool(stored.used_by)
        return None if stored.used_by else stored

    def delete_authorization_code(self, authorization_code: Code) -> None:
        """Nothing: it is marked as used when the token is issued."""

    def authenticate_user(self, authorization_code: Code) -> str:
        return authorization_code.subject


class _Pkce(CodeChallenge):
    """PKCE for every client, with S256 only (RFC 9700 §2.1.1)."""

    SUPPORTED_CODE_CHALLENGE_METHOD: ClassVar = ["S256"]

    def validate_code_challenge(self, grant: Any, redirect_uri: str) -> None:
        form = grant.request.form
        if "code_challenge" not in form or form.get("code_challenge_method") != "S256":
            raise InvalidRequestError("A code_challenge is needed, with the code_challenge_method S256.")
        super().validate_code_challenge(grant, redirect_uri)

    def get_authorization_code_challenge(self, authorization_code: Code) -> str:
        return authorization_code.challenge

    def get_authorization_code_challenge_method(self, authorization_code: Code) -> str:  # noqa: ARG002 - one
        return "S256"


class _Token:
    """A token of this issuer that its client revokes."""

    def __init__(self, claims: dict[str, Any]) -> None:
        self.id = str(claims["jti"])
        self._client = claims["client_id"]

    def check_client(self, client: IssuerClient) -> bool:
        """Whether the token was issued to the client; called by Authlib."""
        return self._client == client.name


class _Revocation(RevocationEndpoint):
    """RFC 7009: a client revokes a token. Its id is recorded here; the revocation is awaited outside."""

    CLIENT_AUTH_METHODS: ClassVar = _ANY
    server: "Server"

    def create_endpoint_request(self, request: Any) -> Any:
        return request

    def check_params(self, request: OAuthRequest, client: Any) -> None:  # noqa: ARG002 - the same for all
        """Raise InvalidRequestError without a token; the hint is ignored (RFC 7009 §2.1)."""
        if "token" not in request.form:
            raise InvalidRequestError("A token is needed.")

    def query_token(self, token_string: str, token_type_hint: str | None) -> _Token | None:  # noqa: ARG002
        claims = self.server.read_token(token_string)
        return _Token(claims) if claims else None

    def revoke_token(self, token: _Token, request: OAuthRequest) -> None:
        request.given_back = token.id


class Server(AuthorizationServer):
    """Reads and answers requests synchronously; database work is awaited by the token endpoint."""

    def __init__(self, issuer: DevelopmentIssuer, *, for_people: bool) -> None:
        super().__init__(scopes_supported=list(issuer.scopes))
        self._issuer = issuer
        self.register_client_auth_method(assertions.METHOD, _proven)
        self.register_grant(_ForMachines)
        if for_people:
            self.register_grant(_ForPeople, [_Pkce()])
            self.register_endpoint(_Revocation)
        self.register_token_generator("default", cast("Any", self._make_token))

    def query_client(self, client_id: str) -> Any:
        return IssuerClient(self._issuer, client_id) if client_id in self._issuer.consumers else None

    def save_token(self, token: Any, request: Any) -> None:
        """Sign the token; nothing is stored, since it is self-contained."""
        request.given = token.pop("claims")
        if request.key:
            request.given["cnf"] = {"jkt": request.key}
            token["token_type"] = "DPoP"  # noqa: S105 - no password
        token["access_token"] = self._issuer.sign(request.given)

    def allows(self, request: OAuthRequest) -> bool:
        """Whether client and grant are valid; otherwise `create_token_response` says what is not."""
        try:
            cast("Any", self.get_token_grant(request)).validate_token_request()
        except OAuth2Error:
            return False
        return True

    def read_token(self, token: str) -> dict[str, Any]:
        """The claims of a token of this issuer; empty for any other text."""
        return self._issuer.keyring.read(token)

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nothing: Authlib's signals have no listener."""

    def authenticate_client(self, request: Any, methods: Any, endpoint: str = "token") -> Any:
        """The client; raises InvalidClientError, alike for an unknown client and for wrong credentials."""
        try:
            return super().authenticate_client(request, methods, endpoint)
        except InvalidClientError as error:
            raise InvalidClientError(_NOT_AUTHENTICATED, status_code=error.status_code) from None

    def create_oauth2_request(self, request: Any) -> Any:
        return request

    def handle_error_response(self, request: Any, error: OAuth2Error) -> Any:
        """The error as an OAuth response, or as a redirect to the client."""
        request.error = error.error
        status, body, headers = error()
        if isinstance(body, dict) and error.error in _DESCRIPTIONS:
            body["error_description"] = _DESCRIPTIONS[error.error]
        return self.handle_response(status, body, headers)

    def handle_response(self, status: int, body: Any, headers: Any) -> Any:
        location = dict(headers).get("Location")
        if location is not None:
            return self.send_back(location)
        # Authlib's own challenge lacks the realm, which Basic must have (RFC 7617 §2).
        basic = (b"www-authenticate", challenge("Basic").encode())
        challenges: list[Header] = [basic] if "WWW-Authenticate" in dict(headers) else []
        return json_reply(
            status, body, (b"cache-control", b"no-store"), (b"pragma", b"no-cache"), *challenges
        )

    def send_back(self, uri: str) -> Reply:
        """A redirect of the person to the client, which names the issuer (RFC 9207 §2).

        A 303, so that the browser does not repost the sign-in form to the client (RFC 9700 §4.12).
        """
        target = add_params_to_uri(uri, [("iss", self._issuer.issuer)])
        return Reply(303, [(b"location", target.encode()), (b"cache-control", b"no-store")])

    def _make_token(
        self, *, client: IssuerClient, scope: str | None, user: str | None, **_: Any
    ) -> dict[str, Any]:
        allowed = client.get_allowed_scope(scope)
        if allowed is None:
            raise InvalidScopeError
        return {
            "claims": self._issuer.claims_for(client.name, subject=user or "", scopes=allowed.split()),
            "token_type": "Bearer",
            "expires_in": LIFETIME_SECONDS,
            "scope": allowed,
        }


def _proven(query_client: Any, request: OAuthRequest) -> IssuerClient | None:
    """The client whose assertion was verified before Authlib was called."""
    return query_client(request.proven_client) if request.proven_client else None
