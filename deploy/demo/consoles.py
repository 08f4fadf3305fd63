"""deploy/demo: the vendors' records, as a person reads and edits them, by the stand-ins' control API."""

from decimal import Decimal
from typing import Any
from urllib.parse import quote

import httpx
import msgspec

from deploy.errors import CommandError

Record = dict[str, Any]
_ACCOUNT = "story"
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)


class VendorConsole:
    """One vendor's account, read and edited as by a person. Amounts are exact decimals."""

    def __init__(self, vendor: str, url: str, http: httpx.AsyncClient) -> None:
        self.vendor = vendor
        self._url = f"{url}/__control/accounts"
        self._http = http

    async def records(self, kind: str) -> list[Record]:
        """All records of a kind, raw."""
        return await self._call("GET", f"/{_ACCOUNT}/records/{kind}")

    async def record(self, kind: str, identity: str) -> Record:
        return await self._call("GET", f"/{_ACCOUNT}/records/{kind}/{quote(identity)}")

    async def edit(self, kind: str, identity: str, fields: Record) -> Record:
        """Edit a record as a person would; the vendor sends its usual notification."""
        return await self._call("PATCH", f"/{_ACCOUNT}/records/{kind}/{quote(identity)}", fields)

    async def create(self, kind: str, fields: Record) -> Record:
        return await self._call("POST", f"/{_ACCOUNT}/records/{kind}", fields)

    async def calls(self, method: str, path: str) -> int:
        """The number of such calls since the vendor was started."""
        counted = await self._call("GET", f"/{_ACCOUNT}/calls/count?method={method}&path={quote(path)}")
        return int(counted["count"])

    async def set_up(self, settings: Record) -> None:
        """Change the account's own settings."""
        await self._call("POST", "", {"name": _ACCOUNT, "settings": settings})

    async def _call(self, method: str, path: str, body: Record | None = None) -> Any:
        content = None if body is None else _ENCODER.encode(body)
        try:
            answer = await self._http.request(method, self._url + path, content=content)
        except httpx.TransportError:
            raise CommandError(
                f"The {self.vendor} sandbox does not answer at {self._url}: start it with `enfilade up`."
            ) from None
        if answer.is_error:
            raise CommandError(f"The {self.vendor} sandbox refused {method} {path}: {answer.text}")
        return _DECODER.decode(answer.content)
