"""system_apis: the calls to a Toy CRM account."""

import datetime as dt
from functools import partial
from typing import Any, TypeVar

import msgspec

from kit.http import Outbound, VendorAnswer
from system_apis.connector.refusals import no_such
from system_apis.connector.unreadable import Stamp, Unreadable, record_in
from system_apis.vendors.toycrm.records import Document, Rows

D = TypeVar("D", bound=Document)
PRECONDITION_FAILED = 412


class ToycrmClient:
    """One account: documents in tables."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    @property
    def instance(self) -> str:
        return self._outbound.instance

    async def get(self, table: str, ident: str, kind: type[D]) -> D:
        """The document; raises NotFound."""
        answer = await self._outbound.send("GET", f"/{table}/{ident}", template=f"/{table}/{{id}}")
        return answer.json(kind)

    async def get_by_key(self, table: str, key: str, kind: type[D]) -> D:
        """The document of a key; raises NotFound."""
        answer = await self._outbound.send("GET", f"/{table}", params={"key": key})
        found = answer.json(Rows[kind])
        if not found.items:
            raise no_such(self.instance, table, key)
        return found.items[0]

    async def rows(
        self,
        table: str,
        kind: type[D],
        *,
        since: dt.datetime | None = None,
        after: str = "",
        limit: int = 200,
        **fields: str,
    ) -> Rows[D | Unreadable]:
        """Documents by last change, oldest first: from an instant, after the document of that id."""
        params = {"since": since.isoformat() if since else "", "after": after, "limit": limit, **fields}
        wanted = {name: value for name, value in params.items() if value}
        answer = await self._outbound.send("GET", f"/{table}", params=wanted)
        page = answer.json(Rows[msgspec.Raw])
        rows = [
            record_in(answer, raw, partial(answer.part, raw, kind), Document, stamp_of) for raw in page.items
        ]
        return Rows(tuple(rows), page.more)

    async def put(self, table: str, key: str, fields: dict[str, Any], kind: type[D]) -> D:
        """The one document of a key, brought to this state."""
        path, template = f"/{table}/by-key/{key}", f"/{table}/by-key/{{key}}"
        return (await self._outbound.send("PUT", path, template=template, body=fields)).json(kind)

    async def change(self, table: str, ident: str, fields: dict[str, Any], **conditions: str) -> VendorAnswer:
        """The answer to a change; its status is 412 where a condition does not hold."""
        body = {"set": fields, "if": conditions}
        return await self._outbound.send(
            "PATCH",
            f"/{table}/{ident}",
            template=f"/{table}/{{id}}",
            body=body,
            repeatable=True,
            ok=(PRECONDITION_FAILED,),
        )


def stamp_of(row: Document | Unreadable) -> Stamp:
    """A document's last change, and its id."""
    return (row.at, row.id) if isinstance(row, Unreadable) else (row.changed_at, row.id)
