"""Kantata stand-in: the OAuth server: authorize, token, revoke, introspect, discovery, userinfo."""

import base64
import binascii
import hmac
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from slowapi import Limiter
from slowapi.util import get_remote_address
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from sandbox.core import Account, World, answer, body_of, origin
from sandbox.kantata.values import instant

CODE_MINUTES = 5
DENIED = "The resource owner or authorization server denied the request."
_CLIENT = (
    "Client authentication failed due to unknown client, no client authentication included, "
    "or unsupported authentication method."
)
_GRANT = (
    "The provided authorization grant is invalid, expired, revoked, does not match the redirection URI "
    "used in the authorization request, or was issued to another client."
)
ERRORS = {
    "invalid_client": (401, _CLIENT),
    "invalid_grant": (400, _GRANT),
    "unsupported_grant_type": (
        400,
        "The authorization grant type is not supported by the authorization server.",
    ),
    "invalid_request": (400, "The request is missing a required parameter or is otherwise malformed."),
}


class OAuthServer:
    """`rate` bounds the calls of one address; it needs no account and no settable clock."""

    def __init__(self, world: World, rate: str) -> None:
        self.world = world
        self._limit = Limiter(key_func=get_remote_address).limit(rate)

    def routes(self) -> list[Route]:
        async def authorize(request: Request) -> Response:
            return self.authorize(request)

        async def token(request: Request) -> Response:
            return self.token(request)

        async def revoke(request: Request) -> Response:
            return self.revoke(request)

        async def introspect(request: Request) -> Response:
            return self.introspect(request)

        async def userinfo(request: Request) -> Response:
            return self.userinfo(request)

        async def discovery(request: Request) -> Response:
            return answer(_discovery(origin(request)))

        return [
            Route("/oauth/authorize", self._limit(authorize), methods=["GET"]),
            Route("/oauth/token", self._limit(token), methods=["POST"]),
            Route("/oauth/revoke", self._limit(revoke), methods=["POST"]),
            Route("/oauth/introspect", self._limit(introspect), methods=["POST"]),
            Route("/openid/userinfo", self._limit(userinfo), methods=["GET"]),
            Route("/.well-known/openid-configuration", discovery, methods=["GET"]),
        ]

    def authorize(self, request: Request) -> Response:
        """The consent page's outcome at once: the account's settings say whether its person agrees."""
        query, account = request.query_params, request.state.account
        back = query.get("redirect_uri")
        if not account or not back or query.get("response_type") != "code":
            return _refusal("invalid_client" if not account else "invalid_request")
        extra = {"state": query["state"]} if "state" in query else {}
        if account.settings.get("oauth_consent") == "deny":
            return _redirect(back, {"error": "access_denied", "error_description": DENIED, **extra})
        user_id = _user_named(account, query.get("login_hint"))
        code = account.token("authorization code", 40)
        account.extra["codes"][code] = {
            "user_id": user_id,
            "redirect_uri": back,
            "until": instant(account.clock.now() + timedelta(minutes=CODE_MINUTES)),
        }
        account.touch()
        return _redirect(back, {"code": code, **extra})

    def token(self, request: Request) -> Response:
        form, account = form_of(request), request.state.account
        if not account or not _is_client(account, request):
            return _refusal("invalid_client")
        kind = form.get("grant_type")
        if kind == "authorization_code":
            return self._by_code(account, form)
        if kind == "client_credentials":
            return answer(_grant(account, account.extra["administrator_id"]))
        if kind == "refresh_token":
            return self._by_refresh(account, form)
        return _refusal("unsupported_grant_type" if kind else "invalid_request")

    def _by_code(self, account: Account, form: dict[str, str]) -> Response:
        held = account.extra["codes"].pop(form.get("code", ""), None)
        account.touch()
        late = held and instant(account.clock.now()) > held["until"]
        if not held or late or held["redirect_uri"] != form.get("redirect_uri"):
            return _refusal("invalid_grant")
        return answer(_grant(account, held["user_id"]))

    def _by_refresh(self, account: Account, form: dict[str, str]) -> Response:
        user_id = account.extra["refresh_tokens"].pop(form.get("refresh_token", ""), None)
        return answer(_grant(account, user_id)) if user_id else _refusal("invalid_grant")

    def revoke(self, request: Request) -> Response:
        form, account = form_of(request), request.state.account
        if not account or not _is_client(account, request):
            return _refusal("invalid_client")
        token = form.get("token", "")
        if token in account.extra["tokens"]:
            account.kill_token(token)
        account.extra["refresh_tokens"].pop(token, None)
        return answer({})

    def introspect(self, request: Request) -> Response:
        form, account = form_of(request), request.state.account
        if not account or not _is_client(account, request):
            return _refusal("invalid_client")
        held = live_token(account, form.get("token", ""))
        if not held:
            return answer({"active": False})
        shown = {
            "active": True,
            "scope": "api_only",
            "client_id": account.extra["client_id"],
            "token_type": "Bearer",
            "iat": _epoch(held["created_at"]),
            "sub": held["user_id"],
        }
        return answer(shown | ({"exp": _epoch(held["until"])} if held["until"] else {}))

    def userinfo(self, request: Request) -> Response:
        account = request.state.account
        held = live_token(account, bearer_of(request)) if account else None
        if not account or not held:
            return answer({"error": "invalid_token"}, 401)
        user = account.tables["users"][held["user_id"]]
        return answer({"sub": user["id"], "name": user["full_name"], "email": user["email_address"]})


def _grant(account: Account, user_id: str) -> dict[str, Any]:
    """Tokens never expire, unless the account's settings say `oauth_token_seconds`."""
    token, seconds = account.token("access token"), account.settings.get("oauth_token_seconds")
    add_token(account, token, user_id, seconds)
    granted = {"access_token": token, "token_type": "bearer"}
    if not seconds:
        return granted
    refresh = account.token("refresh token")
    account.extra["refresh_tokens"][refresh] = user_id
    return {**granted, "expires_in": seconds, "refresh_token": refresh}


def add_token(account: Account, token: str, user_id: str, seconds: float | None = None) -> None:
    now = account.clock.now()
    until = instant(now + timedelta(seconds=float(seconds))) if seconds else None
    account.extra["tokens"][token] = {"user_id": user_id, "created_at": instant(now), "until": until}
    account.touch()


def live_token(account: Account, token: str) -> dict[str, Any] | None:
    held = account.extra["tokens"].get(token)
    if not held or account.is_dead(token):
        return None
    return None if held["until"] and held["until"] < instant(account.clock.now()) else held


def bearer_of(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


def form_of(request: Request) -> dict[str, str]:
    return dict(parse_qsl(body_of(request).decode("utf-8", "replace"), keep_blank_values=True))


def client_of(request: Request) -> tuple[str, str]:
    """Client id and secret, from the basic header, the form or the query."""
    kind, _, packed = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "basic":
        try:
            name, _, secret = base64.b64decode(packed, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return "", ""
        return unquote(name), unquote(secret)
    form = form_of(request)
    return form.get("client_id", request.query_params.get("client_id", "")), form.get("client_secret", "")


def _is_client(account: Account, request: Request) -> bool:
    name, secret = client_of(request)
    return name == account.extra["client_id"] and hmac.compare_digest(
        secret.encode(), account.extra["client_secret"].encode()
    )


def _user_named(account: Account, hint: str | None) -> str:
    users = account.tables["users"].values()
    return next(
        (user["id"] for user in users if hint in (user["id"], user["email_address"])),
        account.extra["administrator_id"],
    )


def _epoch(moment: str) -> int:
    return int(datetime.fromisoformat(moment).astimezone(UTC).timestamp())


def _refusal(code: str) -> Response:
    status, sentence = ERRORS[code]
    return answer({"error": code, "error_description": sentence}, status)


def _redirect(back: str, fields: dict[str, str]) -> Response:
    joint = "&" if "?" in back else "?"
    return RedirectResponse(f"{back}{joint}{urlencode(fields)}", 302)


def _discovery(address: str) -> dict[str, Any]:
    """Behind the vendor's own host names the issuer is the application's host, not the API's."""
    issuer = address.replace("://api.", "://app.")
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/oauth/authorize",
        "token_endpoint": f"{issuer}/oauth/token",
        "revocation_endpoint": f"{issuer}/oauth/revoke",
        "introspection_endpoint": f"{issuer}/oauth/introspect",
        "userinfo_endpoint": f"{issuer}/openid/userinfo",
        "scopes_supported": ["api_only", "openid", "email", "profile", "mcp", "offline_access"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "client_credentials", "refresh_token"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "subject_types_supported": ["public"],
    }
