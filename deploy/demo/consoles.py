"""deploy/demo: the consoles of the systems that play, each over one account of its vendor's stand-in."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import msgspec

from deploy.errors import CommandError
from sandbox.core.console import Console, Record
from sandbox.folders import console_of

_ACCOUNT = "story"
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


def open_consoles(sandboxes: Mapping[str, str], http: httpx.AsyncClient) -> dict[str, Console]:
    """A console for each running stand-in, by vendor; `sandboxes` are their addresses."""
    return {
        vendor: console_of(vendor)(StandInAccount(vendor, url, http)) for vendor, url in sandboxes.items()
    }


class StandInAccount:
    """The demo's account at a stand-in, read and edited as by a person. Amounts are exact decimals."""

    name = _ACCOUNT

    def __init__(self, vendor: str, url: str, http: httpx.AsyncClient) -> None:
        self._vendor = vendor
        self._url = f"{url}/__control/accounts"
        self._http = http

    async def records(self, record_type: str) -> list[Record]:
        """All records of a type, raw."""
        return await self._call("GET", f"/{_ACCOUNT}/records/{record_type}")

    async def record(self, record_type: str, record_id: str) -> Record:
        return await self._call("GET", f"/{_ACCOUNT}/records/{record_type}/{quote(record_id)}")

    async def create(self, record_type: str, **fields: Any) -> Record:
        return await self._call("POST", f"/{_ACCOUNT}/records/{record_type}", fields)

    async def edit(self, record_type: str, record_id: str, **fields: Any) -> Record:
        """Edit a record as a person would; the vendor sends its usual notification."""
        return await self._call("PATCH", f"/{_ACCOUNT}/records/{record_type}/{quote(record_id)}", fields)

    async def seed(self, records: dict[str, list[Record]]) -> dict[str, list[str]]:
        """Put raw records in without any notification; their ids by type."""
        return (await self._call("POST", f"/{_ACCOUNT}/seed", {"records": records}))["ids"]

    async def count_calls(self, *, method: str | None = None, path: str | None = None) -> Record:
        """`count` of such calls since the stand-in was started."""
        wanted = {name: text for name, text in (("method", method), ("path", path)) if text}
        return await self._call("GET", f"/{_ACCOUNT}/calls/count?{urlencode(wanted)}")

    async def change_settings(self, settings: Record) -> None:
        """Change the account's own settings."""
        await self._call("POST", "", {"name": _ACCOUNT, "settings": settings})

    async def _call(self, method: str, path: str, body: Record | None = None) -> Any:
        content = None if body is None else _ENCODER.encode(body)
        try:
            answer = await self._http.request(method, self._url + path, content=content)
        except httpx.TransportError:
            raise CommandError(
                f"The {self._vendor} sandbox does not answer at {self._url}: start it with `enfilade up`."
            ) from None
        if answer.is_error:
            raise CommandError(f"The {self._vendor} sandbox refused {method} {path}: {answer.text}")
        return _DECODER.decode(answer.content)
