"""The token endpoint (RFC 6749 §3.2): its errors are OAuth's own documents."""

from collections.abc import Awaitable, Callable
from typing import cast

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidGrantError, InvalidRequestError, OAuth2Error

from contracts.problems import Unauthenticated
from gateway.exchange import Exchange, Reply
from gateway.identity.issuing.assertions import Assertions
from gateway.identity.issuing.codes import Codes
from gateway.identity.issuing.forms import Form, OAuthRequest, basic_header
from gateway.identity.issuing.server import Server
from kit.telemetry import log

_log = log(__name__)

Revoke = Callable[[str], Awaitable[None]]
"""Takes the id of a token that counts no more."""


class TokenEndpoint:
    """Does around Authlib's server what must be waited for: assertions, codes, revocation."""

    def __init__(
        self, server: Server, codes: Codes | None, assertions: Assertions | None, revoke: Revoke | None
    ) -> None:
        self._server = server
        self._codes = codes
        self._assertions = assertions
        self._revoke = revoke

    async def answer(self, exchange: Exchange) -> Reply:
        """A token, or an error in OAuth's words."""
        form = Form(await exchange.read_body())
        request = OAuthRequest("POST", form.values, basic_header(exchange))
        try:
            reply = await self._grant(form, request)
        except OAuth2Error as error:
            reply = cast("Reply", self._server.handle_error_response(request, error))
        if request.error == InvalidClientError.error:
            exchange.problem = Unauthenticated("The client did not prove itself")  # counted per source
        return reply

    async def _grant(self, form: Form, request: OAuthRequest) -> Reply:
        _check_form(form, request)
        if self._assertions is not None:
            request.proven_client = await self._assertions.check(form.values)
        if self._codes is not None and form["grant_type"] == "authorization_code":
            request.code = await self._codes.find(form["code"])
        reply = self._server.create_token_response(request)
        if request.code is not None and self._codes is not None:
            await self._spend(self._codes, form["code"], request)
        return cast("Reply", reply)

    async def _spend(self, codes: Codes, code: str, request: OAuthRequest) -> None:
        """A code buys one token. Sent again, it costs that token its validity too (RFC 6749 §4.1.2)."""
        if request.given and not await codes.spend(code, str(request.given["jti"])):
            request.code = await codes.find(code)
            request.replayed = True
        if request.replayed:
            _log.warning("a code was sent again", client=request.code.client if request.code else "")
            if self._revoke is not None and request.code is not None:
                await self._revoke(request.code.spent_by)
            raise InvalidGrantError("Invalid 'code' in request.")


def _check_form(form: Form, request: OAuthRequest) -> None:
    """Raises OAuth2Error for what could be read in more than one way."""
    if form.broken or form.repeated:
        raise InvalidRequestError("A parameter is malformed, or comes more than once.")
    ways = [bool(request.headers), "client_secret" in form.values, "client_assertion" in form.values]
    if sum(ways) > 1:
        raise InvalidRequestError("A client proves itself in one way (RFC 6749 section 2.3).")
    named = request.basic_client()
    if named and form["client_id"] not in ("", named):
        raise InvalidClientError("The credentials are those of another client.", status_code=401)
