"""The Salesforce stand-in's OAuth: JWT bearer, client credentials, refresh, revoke and userinfo."""

import base64
import binascii
import hashlib
import hmac
import time
from typing import Any
from urllib.parse import parse_qsl

import joserfc.errors
from joserfc import jwt
from starlette.requests import Request
from starlette.responses import Response

from sandbox.core import World, answer, body_of, loads, origin
from sandbox.salesforce import sessions
from sandbox.salesforce.keys import public_key
from sandbox.salesforce.records.org import Org, Record, org_of

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
NO_STORE = {"Cache-Control": "no-cache, no-store", "Pragma": "no-cache"}
LOGIN_HOSTS = {"login.salesforce.com", "test.salesforce.com"}
# Some clients send an expiry of this very second.
SKEW_SECONDS = 180
LONGEST_SECONDS = 3600


class OAuthRefused(Exception):  # noqa: N818 - the vendor's answer
    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error, self.description = error, description


class OAuth:
    def __init__(self, world: World) -> None:
        self.world = world

    async def token(self, request: Request) -> Response:
        if request.method != "POST":
            return _refusal("invalid_request", "must use HTTP POST")
        form = form_of(request)
        try:
            return self._granted(request, form)
        except OAuthRefused as refused:
            return _refusal(refused.error, refused.description)

    def _granted(self, request: Request, form: dict[str, str]) -> Response:
        grants = {
            JWT_BEARER: self._jwt_bearer,
            "client_credentials": self._client_credentials,
            "refresh_token": self._refresh,
        }
        grant = grants.get(form.get("grant_type", ""))
        if grant is None:
            raise OAuthRefused("unsupported_grant_type", "grant type not supported")
        body = grant(request, form)
        return answer(body, headers=NO_STORE, media_type="application/json;charset=UTF-8")

    def _jwt_bearer(self, request: Request, form: dict[str, str]) -> dict[str, Any]:
        org, claims = self._assertion(form.get("assertion", ""))
        audience = claims.get("aud")
        host = origin(request)
        hosts = {f"https://{name}" for name in LOGIN_HOSTS | {org.domain}} | {host, self.world.base_url}
        if audience not in hosts:
            raise OAuthRefused("invalid_grant", "audience is invalid")
        expires = _epoch(claims.get("exp"))
        # The client signs by the real time, also where a test has set the org's clock.
        clocks = (org.now().timestamp(), time.time())
        if expires is None or not any(
            now - SKEW_SECONDS <= expires <= now + LONGEST_SECONDS for now in clocks
        ):
            raise OAuthRefused("invalid_grant", "expired authorization code")
        user = next((u for u in org.live("User") if u["Username"] == claims.get("sub")), None)
        if user is None or not user["IsActive"]:
            raise OAuthRefused("invalid_grant", "user hasn't approved this consumer")
        token, _ = sessions.open_session(org, user)
        request.state.principal = user["Username"]
        return {
            "access_token": token,
            "scope": "api web",
            "instance_url": instance_url(request, org),
            "id": _identity(org, user),
            "token_type": "Bearer",
        }

    def _assertion(self, assertion: str) -> tuple[Org, dict[str, Any]]:
        """The org that the assertion's issuer belongs to, and its claims; the signature is right."""
        issuer = unverified_claims(assertion).get("iss")
        account = self.world.find(lambda a: sessions.client_id(org_of(a)) == issuer)
        if account is None:
            raise OAuthRefused("invalid_client_id", "client identifier invalid")
        try:
            claims = jwt.decode(assertion, public_key(account), algorithms=["RS256"]).claims
        except (joserfc.errors.JoseError, ValueError) as problem:
            raise OAuthRefused("invalid_grant", "invalid assertion") from problem
        return org_of(account), dict(claims)

    def _client_credentials(self, request: Request, form: dict[str, str]) -> dict[str, Any]:
        host = request.headers.get("host", "").lower()
        if host in LOGIN_HOSTS:
            raise OAuthRefused("invalid_grant", "request not supported on this domain")
        org = self._client(request, form)
        user = org.integration_user()
        token, _ = sessions.open_session(org, user)
        request.state.principal = user["Username"]
        return self._full(request, org, user, token) | {"api_instance_url": "https://api.salesforce.com"}

    def _refresh(self, request: Request, form: dict[str, str]) -> dict[str, Any]:
        org = self._client(request, form, secret_needed=False)
        old = form.get("refresh_token", "")
        user = sessions.user_of_refresh(org, old)
        if user is None:
            raise OAuthRefused("invalid_grant", "expired access/refresh token")
        rotates = bool(org.account.settings.get("refresh_token_rotation"))
        if rotates:
            sessions.revoke(org, old)
        token, fresh = sessions.open_session(org, user, refreshable=rotates)
        request.state.principal = user["Username"]
        return self._full(request, org, user, token) | ({"refresh_token": fresh} if fresh else {})

    def _client(self, request: Request, form: dict[str, str], *, secret_needed: bool = True) -> Org:
        known, secret = client_of(request, form)
        account = self.world.find(lambda a: sessions.client_id(org_of(a)) == known)
        if account is None:
            raise OAuthRefused("invalid_client_id", "client identifier invalid")
        org = org_of(account)
        if (secret or secret_needed) and secret != sessions.client_secret(org):
            raise OAuthRefused("invalid_client", "invalid client credentials")
        return org

    def _full(self, request: Request, org: Org, user: Record, token: str) -> dict[str, Any]:
        issued = str(int(org.now().timestamp() * 1000))
        identity = _identity(org, user)
        key = sessions.client_secret(org).encode()
        signature = base64.b64encode(hmac.digest(key, (identity + issued).encode(), hashlib.sha256)).decode()
        return {
            "access_token": token, "signature": signature, "scope": "api",
            "instance_url": instance_url(request, org), "id": identity, "token_type": "Bearer",
            "issued_at": issued,
        }  # fmt: skip

    async def revoke(self, request: Request) -> Response:
        token = form_of(request).get("token") or request.query_params.get("token", "")
        org = _org_asked(request)
        if org is None or not sessions.revoke(org, token):
            return _refusal("unsupported_token_type", "this token type is not supported")
        return answer(None, 200, NO_STORE)

    async def userinfo(self, request: Request) -> Response:
        org = _org_asked(request)
        session = sessions.session_of(org, bearer(request)) if org else None
        if org is None or session is None:
            return Response("Bad_OAuth_Token", 403, media_type="text/html")
        user = org.get("User", session["user_id"]) or {}
        request.state.principal = session["username"]
        return answer(
            {
                "sub": _identity(org, user), "user_id": user["Id"], "organization_id": org.org_id,
                "preferred_username": user["Username"], "nickname": user["CommunityNickname"],
                "name": user["Name"], "email": user["Email"], "email_verified": True,
                "given_name": user["FirstName"], "family_name": user["LastName"],
                "zoneinfo": user["TimeZoneSidKey"], "active": user["IsActive"],
                "user_type": "STANDARD", "language": user["LanguageLocaleKey"],
                "locale": user["LocaleSidKey"], "utcOffset": 0, "is_app_installed": True,
            }
        )  # fmt: skip


def _org_asked(request: Request) -> Org | None:
    account = request.state.account
    return org_of(account) if account else None


def _identity(org: Org, user: Record) -> str:
    return f"https://login.salesforce.com/id/{org.org_id}/{user['Id']}"


def instance_url(request: Request, org: Org) -> str:
    """Where this org's data is asked for: its own domain behind TLS, the plain address otherwise."""
    asked = origin(request)
    return f"https://{org.domain}" if asked.startswith("https") else asked


def form_of(request: Request) -> dict[str, str]:
    return dict(parse_qsl(body_of(request).decode("utf-8", "replace"), keep_blank_values=True))


def client_of(request: Request, form: dict[str, str]) -> tuple[str, str]:
    """The client's id and secret, from the body or from Basic."""
    scheme, _, coded = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(coded).decode().partition(":")
        except (binascii.Error, ValueError):
            return "", ""
        return name, secret
    return form.get("client_id", ""), form.get("client_secret", "")


def bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in {"bearer", "oauth"} else ""


def unverified_claims(assertion: str) -> dict[str, Any]:
    try:
        middle = assertion.split(".")[1]
        claims = loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4)))
    except (IndexError, ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def _epoch(value: Any) -> float | None:
    """Expiry in seconds; simple-salesforce sends it as text."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _refusal(error: str, description: str) -> Response:
    return answer({"error": error, "error_description": description}, 400, NO_STORE)
