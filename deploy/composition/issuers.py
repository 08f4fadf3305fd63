"""deploy: how the gateway calls the issuers that it trusts: bounded in time and size, no redirects."""

from typing import Any

import httpx
import msgspec

from contracts.problems import Unavailable

MAX_BYTES = 262_144
TIMEOUT_SECONDS = 5.0


class IssuerCalls:
    """Fetches key sets and introspects tokens, over the deployment's own HTTP client."""

    def __init__(self, http: httpx.AsyncClient) -> None:
        self._http = http

    async def fetch(self, url: str) -> dict[str, Any]:
        """The JSON document at an address; raises Unavailable for any other answer."""
        status, body = await self._send("GET", url)
        if status != httpx.codes.OK:
            raise Unavailable(f"The issuer answered {status}")
        try:
            return msgspec.json.decode(body, type=dict[str, Any])
        except msgspec.DecodeError:
            raise Unavailable("The issuer answered no JSON document") from None

    async def post(self, url: str, form: dict[str, str], headers: dict[str, str]) -> tuple[int, bytes]:
        """Status and body of the answer to a form; raises Unavailable without one."""
        return await self._send("POST", url, data=form, headers=headers)

    async def _send(self, method: str, url: str, **more: Any) -> tuple[int, bytes]:
        body = b""
        try:
            async with self._http.stream(method, url, timeout=TIMEOUT_SECONDS, **more) as answer:
                async for chunk in answer.aiter_bytes():
                    body += chunk
                    if len(body) > MAX_BYTES:
                        raise Unavailable("The issuer answered too much")
        except httpx.HTTPError:
            raise Unavailable("The issuer does not answer", retry_after=1) from None
        return answer.status_code, body
