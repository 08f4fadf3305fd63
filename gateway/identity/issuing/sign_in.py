"""The authorization endpoint (RFC 6749 §3.1): a person signs in, and a client gets a code for them."""

import hashlib
import re
import secrets
import time
from typing import cast

from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Error, UnsupportedResponseTypeError
from joserfc import jwk, jwt
from joserfc.errors import JoseError

from gateway.cookies import Cookie
from gateway.exchange import Exchange, Reply
from gateway.identity.issuing import page
from gateway.identity.issuing.codes import Codes
from gateway.identity.issuing.forms import Form, OAuthRequest
from gateway.identity.issuing.issuer import DevelopmentIssuer
from gateway.identity.issuing.server import Server
from kit.telemetry import log

_log = log(__name__)
_PATIENCE_SECONDS = 600
_TICKET = re.compile(r"^[\w\-]{43}$")
_STALE = "The page was open for too long, or was not opened in this browser."


class SignIn:
    """Shows the sign-in page and handles its form.

    The page contains the request, signed and bound to a cookie of the browser, so that no other page can
    submit the form (CSRF).
    """

    def __init__(self, issuer: DevelopmentIssuer, server: Server, codes: Codes, path: str) -> None:
        self._issuer = issuer
        self._server = server
        self._codes = codes
        self._path = path
        self._key = jwk.OctKey.import_key(issuer.secret_for("sign-in"))
        self._cookie = Cookie("enfilade-sign-in", issuer.issuer, seconds=_PATIENCE_SECONDS)

    async def show(self, exchange: Exchange) -> Reply:
        """The page; a faulty request redirects to the client with an error, if its address is registered."""
        form = Form(exchange.query)
        if reason := self._untrusted(form):
            return page.refuse(reason)
        request = OAuthRequest("GET", form.values)
        try:
            _check_form(form)
            self._server.get_consent_grant(request)
        except OAuth2Error as error:
            return self._redirect_error(request, error)
        ticket = self._ticket(exchange) or secrets.token_urlsafe(32)
        reply = page.ask(
            self._issuer.consumers[form["client_id"]],
            self._issuer.people,
            str(request.scope).split(),
            form["redirect_uri"],
            self._seal(form.values, ticket),
            self._path,
        )
        reply.headers.append(self._cookie.set(ticket))
        return reply

    async def decide(self, exchange: Exchange) -> Reply:
        """The redirect to the client, with a code or an error."""
        form = Form(await exchange.read_body())
        if form.broken or form.repeated:
            return page.refuse("The form is malformed.")
        if exchange.headers.get(b"sec-fetch-site", b"same-origin") not in (b"same-origin", b"none"):
            return page.refuse("The form was sent by another page.")
        asked = self._unseal(form["request"], self._ticket(exchange))
        if asked is None:
            return page.refuse(_STALE)
        approved = form["decision"] == "approve"
        if approved and form["person"] not in self._issuer.people:
            return page.refuse("No person was chosen.")
        return await self._answer(asked, form["person"] if approved else None)

    async def _answer(self, asked: dict[str, str], subject: str | None) -> Reply:
        request = OAuthRequest("POST", asked)
        try:
            grant = self._server.get_consent_grant(request, subject)
        except OAuth2Error as error:
            return self._redirect_error(request, error)
        reply = self._server.create_authorization_response(request, grant_user=subject, grant=grant)
        if request.code is not None:
            await self._codes.store(request.made_code, request.code)
            _log.info("signed in", subject=subject, client=asked["client_id"], scope=request.scope)
        return cast("Reply", reply)

    def _untrusted(self, form: Form) -> str:
        """Why the request's redirect address is not trusted; empty when it is."""
        client = self._server.query_client(form["client_id"])
        if client is None or form.repeated & {"client_id", "redirect_uri"}:
            return "The application is not known here."
        if not client.check_response_type("code"):
            return "The application has no sign-in for people."
        if not client.check_redirect_uri(form["redirect_uri"]):
            return "The application did not register the address to which it wants you sent back."
        return ""

    def _redirect_error(self, request: OAuthRequest, error: OAuth2Error) -> Reply:
        error.redirect_uri = request.form["redirect_uri"]
        error.state = request.form.get("state")
        return cast("Reply", self._server.handle_error_response(request, error))

    def _seal(self, asked: dict[str, str], ticket: str) -> str:
        claims = {"asked": asked, "ticket": _hash(ticket), "exp": int(time.time()) + _PATIENCE_SECONDS}
        return jwt.encode({"alg": "HS256"}, claims, self._key, algorithms=["HS256"])

    def _unseal(self, sealed: str, ticket: str) -> dict[str, str] | None:
        """The request of the page; None for an expired page or one of another browser."""
        try:
            claims = jwt.decode(sealed, self._key, algorithms=["HS256"]).claims
        except (JoseError, ValueError):
            return None
        fresh = claims["exp"] > time.time()
        return claims["asked"] if fresh and claims["ticket"] == _hash(ticket) else None

    def _ticket(self, exchange: Exchange) -> str:
        """The browser's secret from its cookie; empty without one."""
        ticket = self._cookie.read(exchange)
        return ticket if _TICKET.match(ticket) else ""


def _check_form(form: Form) -> None:
    """Raise OAuth2Error for what Authlib would not refuse, or would echo from the request."""
    if form.broken or form.repeated or not form["response_type"]:
        raise InvalidRequestError("A parameter is missing, malformed, or comes more than once.")
    if form["response_type"] != "code":
        raise UnsupportedResponseTypeError(form["response_type"])


def _hash(ticket: str) -> str:
    return hashlib.sha256(ticket.encode()).hexdigest()
