"""The gateway as a bundle's OAuth client: asks the issuer for tokens, renews and revokes them."""

import base64
import time
from typing import Any
from urllib.parse import quote_plus

import msgspec
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from contracts.problems import InvalidToken, Problem, Unavailable
from gateway.identity import Fetch, IssuerKeys, Post, jose
from gateway.identity.issuing.metadata import well_known
from kit.secrets import Secret
from kit.telemetry import log

_OK = 200
_CLIENT_ERROR = range(400, 500)
_METADATA_SECONDS = 3600.0
_NEEDED = {"authorization_endpoint", "token_endpoint"}
_LEEWAY_SECONDS = 30.0
_DEFAULT_SECONDS = 300.0  # of a token whose lifetime its issuer does not say
_LONGEST_SECONDS = 86_400.0
_log = log(__name__)


class Tokens(msgspec.Struct, frozen=True):
    """What an issuer gave for a person; `until` is when the access token expires (Unix time).

    `subject` is the person, `since` the time of the sign-in: both stay when the tokens are renewed.
    """

    access_token: str
    until: float
    refresh_token: str = ""
    id_token: str = ""
    subject: str = ""
    since: float = 0.0


class IssuerClient:
    """One client at one issuer, by the metadata that the issuer publishes."""

    def __init__(self, issuer: str, client_id: str, secret: Secret | None, fetch: Fetch, post: Post) -> None:
        self.issuer = issuer
        self.client_id = client_id
        self._secret = secret
        self._fetch = fetch
        self._post = post
        self._metadata: dict[str, Any] = {}
        self._until = 0.0
        self._keys: IssuerKeys | None = None

    async def metadata(self) -> dict[str, Any]:
        """The issuer's metadata, cached; raises Unavailable, also when it names another issuer."""
        if time.monotonic() < self._until:
            return self._metadata
        document = await self._discover()
        if (
            document.get("issuer") != self.issuer
            or not {"authorization_endpoint", "token_endpoint"} <= document.keys()
        ):
            raise Unavailable("The issuer's metadata cannot be used")
        self._metadata, self._until = document, time.monotonic() + _METADATA_SECONDS
        if document.get("jwks_uri"):
            self._keys = IssuerKeys(address=document["jwks_uri"], fetch=self._fetch)
        return document

    async def _discover(self) -> dict[str, Any]:
        """From OpenID Connect's place, else from OAuth's (RFC 8414 §5)."""
        try:
            return await self._fetch(self.issuer.rstrip("/") + "/.well-known/openid-configuration")
        except Problem:
            return await self._fetch(well_known("oauth-authorization-server", self.issuer)[1])

    async def authorization_address(
        self,
        redirect_uri: str,
        scopes: tuple[str, ...],
        *,
        state: str,
        nonce: str,
        verifier: str,
        **more: str,
    ) -> str:
        """Where a person signs in (RFC 6749 §4.1.1, with PKCE)."""
        return prepare_grant_uri(
            (await self.metadata())["authorization_endpoint"],
            self.client_id,
            "code",
            redirect_uri,
            list(scopes) or None,
            state,
            nonce=nonce if "openid" in scopes else None,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
            **more,
        )

    async def check_sender(self, issuer: str | None) -> None:
        """Raise InvalidToken for an answer of another issuer (RFC 9207)."""
        says = (await self.metadata()).get("authorization_response_iss_parameter_supported", False)
        if issuer != self.issuer and (issuer is not None or says):
            raise InvalidToken("The answer is of another issuer")

    async def redeem(
        self, code: str, redirect_uri: str, verifier: str, nonce: str, *, openid: bool
    ) -> Tokens:
        """The tokens for a code; raises InvalidToken and Unavailable."""
        form = {"code": code, "redirect_uri": redirect_uri, "code_verifier": verifier}
        tokens = await self._ask({"grant_type": "authorization_code", **form})
        if openid:
            await self._check_id_token(tokens.id_token, nonce)
        return tokens

    async def refresh(self, tokens: Tokens) -> Tokens:
        """New tokens for these; raises InvalidToken when the issuer refuses, and Unavailable."""
        fresh = await self._ask({"grant_type": "refresh_token", "refresh_token": tokens.refresh_token})
        return msgspec.structs.replace(
            fresh,
            refresh_token=fresh.refresh_token or tokens.refresh_token,
            id_token=fresh.id_token or tokens.id_token,
            subject=tokens.subject,
            since=tokens.since,
        )

    async def revoke(self, tokens: Tokens) -> None:
        """Revoke the tokens, where the issuer offers it (RFC 7009); a failure is logged."""
        try:
            if endpoint := (await self.metadata()).get("revocation_endpoint"):
                for token in filter(None, (tokens.refresh_token, tokens.access_token)):
                    await self._send(endpoint, {"token": token})
        except Problem as problem:
            _log.warning("tokens not revoked", issuer=self.issuer, reason=problem.detail)

    async def end_session_address(self, tokens: Tokens, back: str) -> str:
        """Where a person signs out of the issuer as well; empty where it offers that not."""
        endpoint = (await self.metadata()).get("end_session_endpoint", "")
        if not endpoint:
            return ""
        hint = {"id_token_hint": tokens.id_token} if tokens.id_token else {}
        asked = {"client_id": self.client_id, "post_logout_redirect_uri": back, **hint}
        pairs = "&".join(f"{name}={quote_plus(value)}" for name, value in asked.items())
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{pairs}"

    async def _ask(self, form: dict[str, str]) -> Tokens:
        status, body = await self._send((await self.metadata())["token_endpoint"], form)
        if status in _CLIENT_ERROR:
            raise InvalidToken("The issuer gives no token for this")
        try:
            answer = jose.read_object(body) if status == _OK else {}
        except jose.UnreadableError:
            answer = {}
        access_token, kind = answer.get("access_token"), str(answer.get("token_type", "")).lower()
        if not isinstance(access_token, str) or kind != "bearer":
            raise Unavailable("The issuer's answer cannot be used", retry_after=1)
        try:
            lifetime = min(max(0.0, float(answer["expires_in"])), _LONGEST_SECONDS)
        except (KeyError, TypeError, ValueError, OverflowError):
            lifetime = _DEFAULT_SECONDS
        return Tokens(
            access_token,
            time.time() + lifetime,
            str(answer.get("refresh_token") or ""),
            str(answer.get("id_token") or ""),
        )

    async def _send(self, endpoint: str, form: dict[str, str]) -> tuple[int, bytes]:
        if self._secret is None:
            return await self._post(endpoint, {**form, "client_id": self.client_id}, {})
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self._secret.reveal())}"
        basic = "Basic " + base64.b64encode(pair.encode()).decode()
        return await self._post(endpoint, form, {"Authorization": basic})

    async def _check_id_token(self, token: str, nonce: str) -> None:
        """Raise InvalidToken unless the ID token is this sign-in's (OpenID Connect Core §3.1.3.7)."""
        try:
            parts = jose.take_apart(token)
        except jose.UnreadableError:
            raise InvalidToken("The issuer gave no ID token") from None
        claims = parts.payload
        if self._keys is None or not await self._keys.signed(parts):
            raise InvalidToken("The ID token's signature is not valid")
        audience = claims.get("aud")
        names = audience if isinstance(audience, list) else [audience]
        own = self.client_id in names and claims.get("azp", self.client_id) == self.client_id
        expires = claims.get("exp")
        current = jose.is_instant(expires) and time.time() < float(expires or 0) + _LEEWAY_SECONDS
        if not (own and current and claims.get("iss") == self.issuer and claims.get("nonce") == nonce):
            raise InvalidToken("The ID token is not of this sign-in")
