"""The token endpoint and the revocation endpoint: their errors are OAuth's own documents."""

from collections.abc import Awaitable, Callable
from typing import cast

from authlib.oauth2.rfc6749 import InvalidClientError, InvalidGrantError, InvalidRequestError, OAuth2Error
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload

from contracts.problems import (
    BadRequest,
    BodyTooLarge,
    InvalidProof,
    NonceNeeded,
    Unauthenticated,
    UnsupportedMediaType,
)
from gateway.exchange import Exchange, Reply, require_type
from gateway.identity.dpop import Proofs
from gateway.identity.issuing.assertions import Assertions
from gateway.identity.issuing.codes import Codes
from gateway.identity.issuing.forms import FORM, Form, OAuthRequest, basic_header
from gateway.identity.issuing.server import Server
from kit.telemetry import log

_log = log(__name__)

Revoke = Callable[[str, str, str], Awaitable[None]]
"""Revokes a token: takes its id, who revokes it, and why."""


class TokenEndpoint:
    """Wraps Authlib's synchronous server with what is awaited: assertions, proofs, codes, revocation."""

    def __init__(
        self,
        server: Server,
        proofs: Proofs,
        codes: Codes | None,
        assertions: Assertions | None,
        revoke: Revoke | None,
    ) -> None:
        self._server = server
        self._proofs = proofs
        self._codes = codes
        self._assertions = assertions
        self._revoke = revoke

    async def give(self, exchange: Exchange) -> Reply:
        """A token, or an error (RFC 6749 §3.2)."""
        return await self._answer(exchange, self._give)

    async def take_back(self, exchange: Exchange) -> Reply:
        """An empty answer, once the client's token is revoked (RFC 7009), or an error."""
        return await self._answer(exchange, self._take_back)

    async def _answer(
        self, exchange: Exchange, work: Callable[[Exchange, Form, OAuthRequest], Awaitable[Reply]]
    ) -> Reply:
        request = OAuthRequest("POST", {}, basic_header(exchange))
        try:
            form = await _read_form(exchange)
            request.payload = BasicOAuth2Payload(form.values)
            _check_form(form, request)
            if self._assertions is not None:
                request.proven_client = await self._assertions.check(form.values)
            reply = await work(exchange, form, request)
        except OAuth2Error as error:
            reply = cast("Reply", self._server.handle_error_response(request, error))
        if request.error == InvalidClientError.error:
            exchange.problem = Unauthenticated("The client is not authenticated")  # counted per source
        return reply

    async def _give(self, exchange: Exchange, form: Form, request: OAuthRequest) -> Reply:
        if not form["grant_type"]:
            raise InvalidRequestError("The grant_type is missing.")
        if self._codes is not None and form["grant_type"] == "authorization_code":
            request.code = await self._codes.find(form["code"])
        # A proof is remembered, and nothing is for a stranger: client and grant come first.
        if b"dpop" in exchange.headers and self._server.allows(request):
            request.key = await self._read_proof(exchange)
        reply = self._server.create_token_response(request)
        if request.code is not None and self._codes is not None:
            await self._spend(self._codes, form["code"], request)
        return cast("Reply", reply)

    async def _take_back(self, _: Exchange, __: Form, request: OAuthRequest) -> Reply:
        reply = self._server.create_endpoint_response("revocation", request)
        if request.given_back and self._revoke is not None:
            await self._revoke(request.given_back, request.client_name, "revoked by its client")
        return cast("Reply", reply)

    async def _read_proof(self, exchange: Exchange) -> str:
        """The thumbprint of the key for the token; raises OAuth2Error for an invalid proof."""
        try:
            return await self._proofs.thumbprint(exchange)
        except (InvalidProof, NonceNeeded) as problem:
            exchange.notes += [
                (name.lower().encode(), value.encode())
                for name, value in problem.headers.items()
                if name == "DPoP-Nonce"
            ]
            raise OAuth2Error(f"{problem.detail}.", error=problem.code) from None

    async def _spend(self, codes: Codes, code: str, request: OAuthRequest) -> None:
        """Mark the code as used. A replayed code also revokes its token (RFC 6749 §4.1.2)."""
        if request.given and not await codes.spend(code, str(request.given["jti"])):
            request.code = await codes.find(code)
            request.replayed = True
        if request.replayed:
            replayed = request.code
            _log.warning("authorization code replayed", client=replayed.client if replayed else "")
            if self._revoke is not None and replayed is not None:
                await self._revoke(replayed.used_by, replayed.client, "its code was replayed")
            raise InvalidGrantError("Invalid 'code' in request.")


async def _read_form(exchange: Exchange) -> Form:
    """The parameters; raises OAuth2Error for a body that is slow, large or no form (RFC 6749 §5.2)."""
    try:
        require_type(exchange, FORM)
    except UnsupportedMediaType as problem:
        raise InvalidRequestError(f"{problem.detail}.") from None
    try:
        return Form(await exchange.read_body())
    except (BadRequest, BodyTooLarge) as problem:
        exchange.notes += [(name.lower().encode(), value.encode()) for name, value in problem.headers.items()]
        raise InvalidRequestError(f"{problem.detail}.", status_code=problem.status) from None


def _check_form(form: Form, request: OAuthRequest) -> None:
    """Raise OAuth2Error for an ambiguous form."""
    if form.broken or form.repeated:
        raise InvalidRequestError("A parameter is malformed, or comes more than once.")
    ways = [bool(request.headers), "client_secret" in form.values, "client_assertion" in form.values]
    if sum(ways) > 1:
        raise InvalidRequestError("A client authenticates with one method (RFC 6749 section 2.3).")
    named = request.basic_client()
    if named and form["client_id"] not in ("", named):
        raise InvalidClientError("The credentials are those of another client.", status_code=401)
