"""Sign-in: a bundle's endpoints under `{path}/auth/`, by the authorization code flow with PKCE."""

import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl, quote

import msgspec

from contracts.problems import InvalidToken, Problem, Unauthenticated
from gateway.cookies import Cookie
from gateway.exchange import Exchange, PipelineStep, Reply, json_reply
from gateway.identity import CredentialStatus
from gateway.identity.issuing import page
from gateway.pages import AUTH, PageSettings, SignInSettings
from gateway.pages.browser import check_own_page, local_address, origin_of
from gateway.pages.issuer_client import IssuerClient
from gateway.pages.sessions import Session, Sessions
from gateway.public_path import path_of
from kit.context import Caller
from kit.privacy import DerivedKeys, SealBroken
from kit.telemetry import log

Identify = Callable[[str], Awaitable[Caller]]
"""Who a token identifies, by the rules for all tokens; raises InvalidToken."""

_PATIENCE_SECONDS = 600
_STALE = "The sign-in took too long, or was not begun in this browser."
_log = log(__name__)


class _Begun(msgspec.Struct, frozen=True):
    """A sign-in under way: only the browser that began it has it, and only this deployment can read it."""

    state: str
    nonce: str
    verifier: str
    return_to: str
    until: float


class SignIn:
    """The sign-in of one bundle."""

    def __init__(
        self,
        name: str,
        settings: PageSettings,
        sign_in: SignInSettings,
        *,
        client: IssuerClient,
        sessions: Sessions,
        keys: DerivedKeys,
        credential_status: CredentialStatus | None,
        public_url: str,
    ) -> None:
        self._credential_status = credential_status
        self.settings = sign_in
        self._name = name
        self._path = settings.path
        self._client = client
        self._sessions = sessions
        self._keys = keys
        self._origin = origin_of(public_url)
        self._public_path = path_of(public_url)
        self._start = public_url + settings.path + "/"
        self.redirect_uri = f"{public_url}{settings.path}{AUTH}callback"
        self._cookie = Cookie(f"enfilade-{name}", public_url)
        self._begun = Cookie(f"enfilade-{name}-sign-in", public_url, seconds=_PATIENCE_SECONDS)

    def steps(self, identify: Identify) -> dict[tuple[str, str], PipelineStep]:
        """Every endpoint by method and path."""

        async def finish(exchange: Exchange) -> Reply:
            return await self._finish(exchange, identify)

        async def show(exchange: Exchange) -> Reply:
            return await self._show(exchange, identify)

        base = self._path + AUTH
        return {
            ("GET", f"{base}sign-in"): self._begin,
            ("GET", f"{base}callback"): finish,
            ("GET", f"{base}session"): show,
            ("POST", f"{base}sign-out"): self._end,
        }

    async def authorize(self, exchange: Exchange) -> None:
        """Make the request one of the session's person; raises Unauthenticated and Forbidden."""
        check_own_page(exchange, self._origin)
        session = await self._session(exchange)
        exchange.headers[b"authorization"] = b"Bearer " + session.tokens.access_token.encode()

    async def has_session(self, exchange: Exchange) -> bool:
        """Whether a request has a session that has not ended."""
        return await self._find(exchange) is not None

    def sign_in_address(self, exchange: Exchange) -> str:
        """Where a person signs in who wants what was requested."""
        query = exchange.query.decode("latin-1")
        wanted = exchange.path + (f"?{query}" if query else "")
        return f"{self._path}{AUTH}sign-in?return_to={quote(wanted, safe='')}"

    async def _find(self, exchange: Exchange) -> Session | None:
        return await self._sessions.find(self._name, self._cookie.read(exchange), self.settings.idle_seconds)

    async def _session(self, exchange: Exchange) -> Session:
        session = await self._find(exchange)
        if session is not None and self._is_revoked(session):
            # Before the renewal, which would give a new token to someone whose tokens were all revoked.
            await self._sessions.discard(session)
            session = None
        if session is not None:
            session = await self._sessions.renewed(session, self._client.refresh)
        if session is None:
            raise Unauthenticated("There is no session, or it has ended: sign in")
        return session

    def _is_revoked(self, session: Session) -> bool:
        if self._credential_status is None:
            return False
        claims = {"sub": session.tokens.subject, "iat": session.tokens.since, "jti": ""}
        return self._credential_status.is_revoked(session.consumer, claims, self._client.issuer)

    async def _begin(self, exchange: Exchange) -> Reply:
        """A redirect to the issuer."""
        wanted = dict(parse_qsl(exchange.query.decode("latin-1"))).get("return_to", "")
        begun = _Begun(
            state=secrets.token_urlsafe(32),
            nonce=secrets.token_urlsafe(32),
            verifier=secrets.token_urlsafe(48),
            # A script has it as the browser shows it, with the path of the public address.
            return_to=local_address(wanted.removeprefix(self._public_path), self._path),
            until=time.time() + _PATIENCE_SECONDS,
        )
        address = await self._client.authorization_address(
            self.redirect_uri,
            self.settings.scopes,
            state=begun.state,
            nonce=begun.nonce,
            verifier=begun.verifier,
            **self.settings.parameters,
        )
        sealed = self._keys.seal(msgspec.json.encode(begun), f"sign-in {self._name}")
        return _redirect(address, self._begun.set(urlsafe_b64encode(sealed).rstrip(b"=").decode()))

    async def _finish(self, exchange: Exchange, identify: Identify) -> Reply:
        """A new session from the issuer's answer, and a redirect to where the person wanted to go."""
        answer = dict(parse_qsl(exchange.query.decode("latin-1")))
        begun = self._read_begun(exchange)
        if begun is None or not secrets.compare_digest(
            begun.state.encode(), answer.get("state", "").encode()
        ):
            return page.refuse(_STALE)
        if "code" not in answer:
            return page.refuse("The sign-in was not completed.")
        try:
            session_id = await self._exchange(answer, begun, identify)
        except InvalidToken as problem:
            _log.warning("sign-in refused", page=self._name, reason=problem.detail)
            return page.refuse("The sign-in was refused.")
        # A session that the browser had before is another's or an older one: an id never survives a sign-in.
        if former := self._cookie.read(exchange):
            await self._sessions.end(self._name, former)
        return _redirect(begun.return_to, self._cookie.set(session_id), self._begun.clear())

    async def _exchange(self, answer: dict[str, str], begun: _Begun, identify: Identify) -> str:
        await self._client.check_sender(answer.get("iss"))
        tokens = await self._client.redeem(
            answer["code"],
            self.redirect_uri,
            begun.verifier,
            begun.nonce,
            openid="openid" in self.settings.scopes,
        )
        caller = await identify(tokens.access_token)
        if caller.consumer != self.settings.client_id:
            raise InvalidToken("The token was issued to another client")
        seconds = self.settings.absolute_seconds
        if not tokens.refresh_token:
            seconds = min(seconds, max(1.0, tokens.until - time.time()))
        tokens = msgspec.structs.replace(tokens, subject=caller.subject, since=time.time())
        return await self._sessions.begin(self._name, caller.consumer, tokens, seconds=seconds)

    async def _show(self, exchange: Exchange, identify: Identify) -> Reply:
        """Who has signed in; never a token."""
        check_own_page(exchange, self._origin)
        session = await self._session(exchange)
        caller = await identify(session.tokens.access_token)
        return json_reply(
            200,
            {
                "subject": caller.subject,
                "consumer": caller.consumer,
                "scopes": sorted(caller.scopes),
                "roles": sorted(caller.roles),
                "expires_at": session.expires_at,
            },
        )

    async def _end(self, exchange: Exchange) -> Reply:
        """The session ends here and its tokens at the issuer; answers where the browser goes next."""
        check_own_page(exchange, self._origin)
        session = await self._sessions.end(self._name, self._cookie.read(exchange))
        location = f"{self._public_path}{self._path}/"
        if session is not None:
            location = await self._end_at_issuer(session) or location
        return json_reply(200, {"location": location}, self._cookie.clear(), (b"clear-site-data", b'"cache"'))

    async def _end_at_issuer(self, session: Session) -> str:
        try:
            await self._client.revoke(session.tokens)
            return await self._client.end_session_address(session.tokens, self._start)
        except Problem as problem:  # the session has ended in any case
            _log.warning("not signed out at the issuer", page=self._name, reason=problem.detail)
            return ""

    def _read_begun(self, exchange: Exchange) -> _Begun | None:
        text = self._begun.read(exchange)
        try:
            sealed = urlsafe_b64decode(text + "=" * (-len(text) % 4))
            begun = msgspec.json.decode(self._keys.unseal(sealed, f"sign-in {self._name}"), type=_Begun)
        except (ValueError, SealBroken, msgspec.MsgspecError):
            return None
        return begun if begun.until > time.time() else None


def _redirect(location: str, *cookies: tuple[bytes, bytes]) -> Reply:
    return Reply(303, [(b"location", location.encode("ascii")), (b"cache-control", b"no-store"), *cookies])
