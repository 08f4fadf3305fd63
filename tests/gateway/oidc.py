"""tests/gateway: an OpenID provider as the gateway's calls reach it, which shows what it was asked."""

import asyncio
import secrets
import time
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwk, jwt

from contracts.problems import Unavailable
from gateway.identity import Issuer

ISSUER = "https://login.test"
SECRET = "s3cret/+"
KEY = jwk.RSAKey.generate_key(2048, {"kid": "oidc-1"})


def trusted(audience: str) -> Issuer:
    """How the gateway trusts it."""
    return Issuer(issuer=ISSUER, jwks_uri=f"{ISSUER}/keys", audience=audience, consumer_claim="azp")


class Provider:
    """Signs people in without asking, rotates refresh tokens, and can be told to misbehave."""

    def __init__(self, audience: str, scope: str) -> None:
        self.audience = audience
        self.scope = scope
        self.codes: dict[str, dict[str, str]] = {}
        self.refresh_tokens: dict[str, str] = {}
        self.forms: list[dict[str, str]] = []
        self.lifetime = 3600
        self.away = False
        self.other: dict[str, Any] = {}
        self.refreshing: asyncio.Event | None = None

    async def fetch(self, url: str) -> dict[str, Any]:
        if url == f"{ISSUER}/keys":
            return {"keys": [KEY.as_dict(private=False)]}
        if url != f"{ISSUER}/.well-known/openid-configuration":
            raise Unavailable("The issuer answered 404")
        return {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/authorize",
            "token_endpoint": f"{ISSUER}/token",
            "revocation_endpoint": f"{ISSUER}/revoke",
            "end_session_endpoint": f"{ISSUER}/end",
            "jwks_uri": f"{ISSUER}/keys",
            "authorization_response_iss_parameter_supported": True,
        }

    def authorize(self, location: str, subject: str = "fiona.finance", **other: str) -> str:
        """Where the browser is sent after somebody has signed in."""
        assert location.startswith(f"{ISSUER}/authorize?")
        asked = dict(parse_qsl(urlsplit(location).query))
        assert asked["code_challenge_method"] == "S256"
        code = secrets.token_urlsafe(8)
        self.codes[code] = {**asked, "subject": subject}
        answer = {"code": code, "state": asked["state"], "iss": ISSUER, **other}
        return f"{asked['redirect_uri']}?{urlencode(answer)}"

    async def post(self, url: str, form: dict[str, str], headers: dict[str, str]) -> tuple[int, bytes]:
        if self.away:
            raise Unavailable("The issuer does not answer")
        self.forms.append({**form, "endpoint": url.removeprefix(ISSUER), **headers})
        if url == f"{ISSUER}/revoke":
            return 200, b""
        if form["grant_type"] == "authorization_code":
            return self._redeem(form)
        if self.refreshing is not None:
            await self.refreshing.wait()
        subject = self.refresh_tokens.pop(form["refresh_token"], None)
        return self._give(subject, "page", "") if subject else _refusal()

    def _redeem(self, form: dict[str, str]) -> tuple[int, bytes]:
        asked = self.codes.pop(form["code"], None)
        challenge = create_s256_code_challenge(form["code_verifier"])
        if (
            asked is None
            or asked["code_challenge"] != challenge
            or asked["redirect_uri"] != form["redirect_uri"]
        ):
            return _refusal()
        return self._give(asked["subject"], asked["client_id"], asked.get("nonce", ""))

    def _give(self, subject: str, client: str, nonce: str) -> tuple[int, bytes]:
        now, refresh_token = int(time.time()), secrets.token_urlsafe(8)
        self.refresh_tokens[refresh_token] = subject
        common = {"iss": ISSUER, "sub": subject, "iat": now, "exp": now + self.lifetime, "azp": client}
        access = {**common, "aud": self.audience, "jti": secrets.token_urlsafe(6), "scope": self.scope}
        identity = {**common, "exp": now + 300, "aud": client, "nonce": nonce, **self.other}
        answer = {
            "access_token": _signed("at+jwt", access),
            "id_token": _signed("JWT", identity),
            "refresh_token": refresh_token,
            "token_type": "Bearer",
            "expires_in": self.lifetime,
        }
        return 200, msgspec.json.encode(answer)

    def asked(self, grant: str) -> int:
        """How often tokens were asked for in a way."""
        return sum(form.get("grant_type") == grant for form in self.forms)


def _signed(kind: str, claims: dict[str, Any]) -> str:
    return jwt.encode({"alg": "RS256", "kid": "oidc-1", "typ": kind}, claims, KEY)


def _refusal() -> tuple[int, bytes]:
    return 400, b'{"error":"invalid_grant"}'
