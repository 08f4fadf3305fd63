"""deploy: a person with a token, who calls the gateway over HTTP like any consumer."""

import secrets
from decimal import Decimal
from typing import Any

import httpx
import msgspec

from deploy.errors import CommandError

_DECODER = msgspec.json.Decoder(float_hook=Decimal)


class Person:
    """A person with a consumer's token."""

    def __init__(self, name: str, gateway: str, token: str, http: httpx.AsyncClient) -> None:
        self.name = name
        self._gateway = gateway
        self._token = token
        self._http = http

    async def get(self, path: str, /, **query: str) -> Any:
        """The answer; raises CommandError with the problem's detail."""
        return self._read(await self._send("GET", path, params=query))

    async def find(self, path: str, /, **query: str) -> Any | None:
        """The answer, None for 404."""
        answer = await self._send("GET", path, params=query)
        return None if answer.status_code == httpx.codes.NOT_FOUND else self._read(answer)

    async def post(self, path: str, body: Any, **headers: str) -> Any:
        """Send a POST under a new idempotency key; raises CommandError with the problem's detail."""
        key = {"Idempotency-Key": secrets.token_urlsafe(16)}
        return self._read(await self._send("POST", path, json=body, headers={**key, **headers}))

    async def put(self, path: str, body: Any) -> Any:
        """Send a PUT; raises CommandError with the problem's detail."""
        return self._read(await self._send("PUT", path, json=body))

    async def delete(self, path: str) -> Any:
        """Send a DELETE; raises CommandError with the problem's detail."""
        return self._read(await self._send("DELETE", path))

    async def _send(self, method: str, path: str, **given: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self._token}", **given.pop("headers", {})}
        try:
            return await self._http.request(method, self._gateway + path, headers=headers, **given)
        except httpx.TransportError:
            raise CommandError(
                f"The gateway does not answer at {self._gateway}: start it with `enfilade up`."
            ) from None

    def _read(self, answer: httpx.Response) -> Any:
        if answer.is_success:
            return _DECODER.decode(answer.content)
        raise CommandError(f"The gateway refused {self.name}: {_words(answer)}")


def _words(answer: httpx.Response) -> str:
    """A problem document in one sentence, with every fault."""
    try:
        problem = _DECODER.decode(answer.content)
        faults = "; ".join(
            f"{fault.get('pointer') or fault.get('field', '')}: {fault['detail']}"
            for fault in problem.get("errors", ())
        )
        said = problem.get("detail") or problem["title"]
        return f"{said}{f' ({faults})' if faults else ''} [{problem['code']}, {problem['correlation_id']}]"
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        return f"status {answer.status_code}"
