"""NetSuite's OAuth 2.0 for machines: an assertion against a certificate, an hour's token, its keys."""

from base64 import urlsafe_b64decode
from typing import Any
from urllib.parse import parse_qsl

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jws import JWSRegistry
from starlette.requests import Request
from starlette.responses import Response

from sandbox.core import Account, World, answer, body_of, loads, origin
from sandbox.core.wire import BadJson
from sandbox.netsuite import keys

TOKEN_PATH = "/services/rest/auth/oauth2/v1/token"  # noqa: S105 - a path
JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
RSA_ALGORITHMS, EC_ALGORITHMS = ["PS256", "PS384", "PS512"], ["ES256"]
SCOPES = {"rest_webservices", "restlets", "suite_analytics"}
LIFETIME_SECONDS = 3600
SKEW_SECONDS = 300
ROLE, ENTITY = "1042", "7"


class TokenError(Exception):
    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code

    def response(self, account: Account | None) -> Response:
        status = 401 if self.code == "invalid_client" else 400
        realm = keys.account_id(account) if account else ""
        headers = {"WWW-Authenticate": f'Basic realm="{realm}"'} if status == 401 else {}
        return answer({"error": self.code}, status, {"Cache-Control": "no-store", **headers})


def peek(token: str, part: int) -> dict[str, Any]:
    """The unverified header (0) or claims (1) of a token; {} if it is none."""
    pieces = token.split(".")
    if len(pieces) != 3:
        return {}
    try:
        seen = loads(urlsafe_b64decode(pieces[part] + "=" * (-len(pieces[part]) % 4)))
    except (ValueError, BadJson):
        return {}
    return seen if isinstance(seen, dict) else {}


def form(request: Request) -> dict[str, str]:
    return dict(parse_qsl(body_of(request).decode("utf-8", "replace"), keep_blank_values=True))


def account_of_token_call(world: World, request: Request) -> Account | None:
    issuer = peek(form(request).get("client_assertion", ""), 1).get("iss")
    return world.find(lambda account: keys.credentials(account)["client_id"] == issuer) if issuer else None


def grant(account: Account | None, request: Request) -> Response:
    try:
        return answer(_grant(account, request), 200, {"Cache-Control": "no-store"})
    except TokenError as problem:
        return problem.response(account)


def _grant(account: Account | None, request: Request) -> dict[str, Any]:
    """Raises: TokenError."""
    if not request.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise TokenError("invalid_request")
    sent = form(request)
    if sent.get("grant_type") != "client_credentials":
        raise TokenError("unsupported_grant_type" if sent.get("grant_type") else "invalid_request")
    if sent.get("client_assertion_type") != JWT_BEARER or not sent.get("client_assertion"):
        raise TokenError("invalid_request")
    if (
        account is None
        or peek(sent["client_assertion"], 1).get("iss") != keys.credentials(account)["client_id"]
    ):
        raise TokenError("invalid_client")
    claims = _checked(account, sent["client_assertion"], request)
    request.state.principal = f"oauth2:{ROLE};{ENTITY}"
    return {
        "access_token": _issue(account, _scopes(claims)),
        "expires_in": LIFETIME_SECONDS,
        "token_type": "Bearer",
    }


def _checked(account: Account, assertion: str, request: Request) -> dict[str, Any]:
    """The assertion's claims. Raises: TokenError."""
    header = peek(assertion, 0)
    allowed = RSA_ALGORITHMS if account.settings.get("certificate") == "rsa" else EC_ALGORITHMS
    if header.get("alg") not in allowed:
        raise TokenError("invalid_request")
    if header.get("kid") != keys.credentials(account)["certificate_id"]:
        raise TokenError("invalid_grant")
    try:
        registry = JWSRegistry(algorithms=allowed)
        claims = jwt.decode(assertion, keys.certificate_key(account), registry=registry).claims
    except (JoseError, ValueError) as bad:
        raise TokenError("invalid_grant") from bad
    if not _fresh(account, claims) or not _meant_for(account, claims, request):
        raise TokenError("invalid_grant")
    return claims


def _fresh(account: Account, claims: dict[str, Any]) -> bool:
    now = account.clock.now().timestamp()
    issued, expires = claims.get("iat"), claims.get("exp")
    if not isinstance(issued, int | float) or not isinstance(expires, int | float):
        return False
    return issued <= now + SKEW_SECONDS and now < expires <= issued + LIFETIME_SECONDS


def _meant_for(account: Account, claims: dict[str, Any], request: Request) -> bool:
    audience = claims.get("aud")
    said = audience if isinstance(audience, list) else [audience]
    return bool({f"{origin(request)}{TOKEN_PATH}", f"https://{keys.host(account)}{TOKEN_PATH}"} & set(said))


def _scopes(claims: dict[str, Any]) -> list[str]:
    """Raises: TokenError."""
    said = claims.get("scope", [])
    scopes = said if isinstance(said, list) else str(said).replace(",", " ").split()
    if not scopes or not set(scopes) <= SCOPES:
        raise TokenError("invalid_scope")
    return scopes


def _issue(account: Account, scopes: list[str]) -> str:
    now = int(account.clock.now().timestamp())
    key = keys.signing_key(account)
    client = keys.credentials(account)["client_id"]
    claims = {
        "iss": "https://system.netsuite.com",
        "sub": f"{ROLE};{ENTITY}",
        "aud": [f"app;{keys.account_id(account)}", client],
        "scope": scopes,
        "iat": now,
        "exp": now + LIFETIME_SECONDS,
        "jti": account.token("access token", 32),
    }
    return jwt.encode({"alg": "ES256", "typ": "JWT", "kid": key.kid or ""}, claims, key)


def token_account_id(token: str) -> str:
    """The company that an access token names, unverified."""
    audience = peek(token, 1).get("aud")
    first = audience[0] if isinstance(audience, list) and audience else ""
    return str(first).partition(";")[2]


def is_good(account: Account, token: str) -> bool:
    """Whether an access token is this account's, alive and for REST."""
    try:
        claims = jwt.decode(
            token, keys.signing_key(account), registry=JWSRegistry(algorithms=["ES256"])
        ).claims
    except (JoseError, ValueError):
        return False
    alive = claims["exp"] > account.clock.now().timestamp()
    return alive and "rest_webservices" in claims["scope"] and not account.is_dead(token)


def jwks(account: Account) -> Response:
    public = keys.signing_key(account).as_dict(private=False)
    return answer({"keys": [{**public, "alg": "ES256"}]})
