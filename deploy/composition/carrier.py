"""deploy: calls tiers in other processes over HTTP, with an internal token."""

from contextlib import aclosing
from functools import partial
from typing import Any, TypeVar

import httpx
import msgspec

from contracts.problems import DeadlineExceeded, Unavailable
from deploy.settings import ServerSettings, TierName
from gateway.exchange import JSON, Exchange, Header, Reply
from gateway.policies.hop import Target, over_http
from kit import context
from kit.clients import RemotePieces, remote, send_streaming
from kit.delegation import Credential, audience_of
from kit.problems import from_document
from system_apis.connector import WebhookAnswer
from system_apis.intake import AddressedRequest

T = TypeVar("T")
LONGEST_SECONDS = 60.0
HOOKS_SCOPE = "system.hooks.write"


class Carrier:
    """Carries calls to tiers elsewhere."""

    def __init__(self, settings: ServerSettings, http: httpx.AsyncClient, credential: Credential) -> None:
        self._urls: dict[TierName, str] = {
            "system": settings.system_url,
            "process": settings.process_url,
            "experience": settings.experience_url,
        }
        self._http = http
        self._credential = credential

    def client(self, tier: TierName, interface: type[T], prefix: str) -> T:
        """A typed client of an interface on another tier."""
        return remote(interface, self._urls[tier].rstrip("/") + prefix, self._http, self._credential)

    def target(self, tier: TierName) -> Target:
        """How the gateway reaches another tier: each call under a token for its operation's scope alone."""

        async def step(exchange: Exchange) -> Reply:
            scope = exchange.route.scope if exchange.route is not None else ""
            send = partial(self.send, audience_of(tier), scope)
            open_stream = partial(self.open_stream, audience_of(tier), scope)
            return await over_http(self._urls[tier], send, open_stream)(tier)(exchange)

        return lambda _name: step

    async def send(
        self, audience: str, scope: str, method: str, url: str, headers: list[Header], body: bytes
    ) -> tuple[int, list[Header], bytes]:
        """Send a request as it is; raises DeadlineExceeded and Unavailable."""
        remaining = context.remaining() or LONGEST_SECONDS
        headers = [*headers, *self._headers(audience, scope, remaining)]
        try:
            answer = await self._http.request(method, url, headers=headers, content=body, timeout=remaining)
        except httpx.TimeoutException:
            raise DeadlineExceeded from None
        except httpx.HTTPError:
            raise Unavailable("A tier of the deployment cannot be reached", retry_after=1) from None
        return answer.status_code, answer.headers.raw, answer.content

    async def open_stream(
        self,
        audience: str,
        scope: str,
        method: str,
        url: str,
        headers: list[Header],
        body: bytes,
        media_type: str,
    ) -> tuple[int, list[Header], bytes | RemotePieces]:
        """As `send` for an answer that streams: its pieces, or the whole body of a refusal."""
        remaining = context.remaining() or LONGEST_SECONDS
        headers = [*headers, *self._headers(audience, scope, remaining)]
        request = self._http.build_request(method, url, headers=headers, content=body)
        answer = await send_streaming(self._http, request, remaining)
        if answer.is_success:
            return answer.status_code, answer.headers.raw, RemotePieces(answer, media_type)
        async with aclosing(answer):
            return answer.status_code, answer.headers.raw, await answer.aread()

    def _headers(self, audience: str, scope: str, seconds: float) -> list[Header]:
        """Who calls, for which tier and operation, and how long the answer may take."""
        authorization = self._credential(audience, scope).authorization
        return [(b"authorization", authorization.encode()), (b"deadline", f"{seconds:.3f}".encode())]

    async def hand_webhook(self, addressed: AddressedRequest) -> WebhookAnswer:
        """Hand a vendor's call to the system tier; raises what it answers."""
        url = f"{self._urls['system'].rstrip('/')}/hooks"
        headers = [(b"content-type", JSON)]
        body = msgspec.json.encode(addressed)
        status, _, answer = await self.send(audience_of("system"), HOOKS_SCOPE, "POST", url, headers, body)
        if status >= httpx.codes.BAD_REQUEST:
            raise from_document(msgspec.json.decode(answer, type=dict[str, Any]))
        return msgspec.json.decode(answer, type=WebhookAnswer)
