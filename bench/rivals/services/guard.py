"""bench/rivals/services: what each does first: a verified token (Authlib), a limit (slowapi)."""

import os
import warnings
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

import httpx
import msgspec
from fastapi import Depends, FastAPI, HTTPException, Request
from slowapi import Limiter
from slowapi.errors import RateLimitExceeded
from starlette.responses import JSONResponse, Response

with warnings.catch_warnings():
    # Authlib moves its JOSE to joserfc: this is the way that such services are written today.
    warnings.simplefilter("ignore")
    from authlib.jose import JsonWebKey, JsonWebToken
    from authlib.jose.errors import JoseError

LIMITS = "1000000/second;60000000/minute"
"""As high as those of the measured gateways, and stored in memory, which is slowapi's fastest store."""


class GuardOptions(msgspec.Struct, frozen=True):
    """A service's options, from BENCH_RIVAL: the issuer whose tokens it accepts, and the next service."""

    issuer: str
    jwks: dict[str, Any]
    scope: str
    next: str = ""


def read_options() -> GuardOptions:
    return msgspec.json.decode(Path(os.environ["BENCH_RIVAL"]).read_bytes(), type=GuardOptions)


_given = read_options()
_tokens = JsonWebToken(["RS256"])
_keys = JsonWebKey.import_key_set(_given.jwks)
_options = {
    "iss": {"essential": True, "value": _given.issuer},
    "aud": {"essential": True, "value": _given.issuer},
    "exp": {"essential": True},
    "client_id": {"essential": True},
}


def _consumer_of(request: Request) -> str:
    return request.state.consumer


limiter = Limiter(key_func=_consumer_of)


async def authorise(request: Request) -> str:
    """The caller's Authorization header, once its token holds and has the scope.

    It waits for nothing, and yet is async: FastAPI would give another function to a thread.
    """
    header = request.headers.get("authorization", "")
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer":
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    try:
        claims = _tokens.decode(token, _keys, claims_options=_options)
        claims.validate()
    except (JoseError, ValueError):
        raise HTTPException(401, headers={"WWW-Authenticate": 'Bearer error="invalid_token"'}) from None
    if _given.scope not in claims["scope"].split():
        raise HTTPException(403)
    request.state.consumer = claims["client_id"]
    return header


Authorised = Annotated[str, Depends(authorise)]


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    async with httpx.AsyncClient(base_url=_given.next, trust_env=False) as http:
        app.state.http = http
        yield


def service(title: str) -> FastAPI:
    """An application with the limiter, and one pooled client for the next service."""
    app = FastAPI(title=title, lifespan=_lifespan)
    app.state.limiter = limiter
    app.add_exception_handler(RateLimitExceeded, _refuse)
    return app


async def _refuse(_: Request, error: Exception) -> Response:
    return JSONResponse({"detail": str(error)}, 429)


async def fetch(request: Request, path: str, authorization: str) -> bytes:
    """The next service's answer, called with the caller's token."""
    answer = await request.app.state.http.get(path, headers={"Authorization": authorization})
    if answer.is_error:
        raise HTTPException(answer.status_code)
    return answer.content
