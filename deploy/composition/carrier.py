"""deploy: calls tiers in other processes over HTTP, with an internal token."""

import base64
from collections.abc import Mapping
from contextlib import aclosing
from functools import partial
from typing import Any, TypeVar

import httpx
import msgspec

from contracts.problems import DeadlineExceeded, Unavailable
from deploy.settings import ServerSettings, TierName
from gateway.exchange import Exchange, Reply
from gateway.policies.hop import Target, over_http
from kit import context
from kit.clients import RemotePieces, remote, send_streaming
from kit.delegation import Credential, audience_of
from kit.problems import from_document

T = TypeVar("T")
LONGEST_SECONDS = 60.0
VENDOR_HEADERS = "X-Vendor-Headers"
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
        self, audience: str, scope: str, method: str, url: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Send a request as it is; raises DeadlineExceeded and Unavailable."""
        remaining = context.remaining() or LONGEST_SECONDS
        headers |= {
            "Authorization": self._credential(audience, scope).authorization,
            "Deadline": f"{remaining:.3f}",
        }
        try:
            answer = await self._http.request(method, url, headers=headers, content=body, timeout=remaining)
        except httpx.TimeoutException:
            raise DeadlineExceeded from None
        except httpx.HTTPError:
            raise Unavailable("A tier of the deployment cannot be reached", retry_after=1) from None
        return answer.status_code, dict(answer.headers), answer.content

    async def open_stream(
        self,
        audience: str,
        scope: str,
        method: str,
        url: str,
        headers: dict[str, str],
        body: bytes,
        media_type: str,
    ) -> tuple[int, dict[str, str], bytes | RemotePieces]:
        """As `send` for an answer that streams: its pieces, or the whole body of a refusal."""
        remaining = context.remaining() or LONGEST_SECONDS
        headers |= {
            "Authorization": self._credential(audience, scope).authorization,
            "Deadline": f"{remaining:.3f}",
        }
        request = self._http.build_request(method, url, headers=headers, content=body)
        answer = await send_streaming(self._http, request, remaining)
        if answer.is_success:
            return answer.status_code, dict(answer.headers), RemotePieces(answer, media_type)
        async with aclosing(answer):
            return answer.status_code, dict(answer.headers), await answer.aread()

    async def push(self, instance: str, headers: Mapping[str, str], body: bytes) -> None:
        """Hand a vendor's push to the system tier; raises what it answers."""
        url = f"{self._urls['system'].rstrip('/')}/hooks/{instance}"
        packed = {VENDOR_HEADERS: pack(headers)}
        status, _, answer = await self.send(audience_of("system"), HOOKS_SCOPE, "POST", url, packed, body)
        if status >= httpx.codes.BAD_REQUEST:
            raise from_document(msgspec.json.decode(answer, type=dict[str, Any]))


def pack(headers: Mapping[str, str]) -> str:
    """A vendor's headers as one header value, so that none of them acts on the hop itself."""
    return base64.b64encode(msgspec.json.encode(dict(headers))).decode("ascii")


def unpack(value: str) -> dict[str, str]:
    """The vendor's headers out of `pack`."""
    return msgspec.json.decode(base64.b64decode(value), type=dict[str, str])
