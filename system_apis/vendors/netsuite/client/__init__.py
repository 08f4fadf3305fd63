"""system_apis: NetSuite's REST record service and SuiteQL."""

import datetime as dt
from typing import Any, TypeVar

from contracts.problems import NotFound
from kit.http import Outbound
from system_apis.connector.oracle_sql import Order, RowSource
from system_apis.connector.wall_clock import Seen
from system_apis.vendors.netsuite.records import NetSuiteGovernance, NetSuiteHead, NetSuiteRows, Raw, Row

T = TypeVar("T")

RECORD = "/services/rest/record/v1"
_QUERY = "/services/rest/query/v1/suiteql"
_GOVERNANCE = "/services/rest/system/v1/governanceLimits"
REQUEST_ID_HEADER = "x-n-operationid"
# By default NetSuite drops an unknown field, and reports it in a header only.
_STRICT = {"X-NetSuite-PropertyNameValidation": "Error"}


class NetSuiteClient:
    """NetSuite's services as one account offers them."""

    def __init__(self, outbound: Outbound) -> None:
        self._outbound = outbound

    async def read(self, kind: str, ident: str, shape: type[T]) -> tuple[T, Raw]:
        """A whole record by internal id or ``eid:`` key: its shape, and raw for the account's own fields.

        Raises NotFound.
        """
        answer = await self._outbound.send(
            "GET",
            f"{RECORD}/{kind}/{ident}",
            template=f"{RECORD}/{kind}/{{id}}",
            params={"expandSubResources": "true"},
        )
        return answer.json(shape), answer.json(Raw)

    async def upsert(self, kind: str, key: str, body: Raw, *, replace: tuple[str, ...] = ()) -> str:
        """Create or change the record of an external id; its internal id. Lists in `replace` stay as sent."""
        answer = await self._outbound.send(
            "PUT",
            f"{RECORD}/{kind}/eid:{key}",
            template=f"{RECORD}/{kind}/eid:{{key}}",
            params={"replace": ",".join(replace)} if replace else None,
            body=body,
            headers=_STRICT,
        )
        ident = answer.headers.get("Location", "").rstrip("/").rpartition("/")[2]
        if not ident:
            raise answer.violation(f"it saved a {kind} without its id")
        return ident

    async def change(self, kind: str, ident: str, body: Raw) -> None:
        """Change fields and keyed lines, so that a repetition changes nothing more; raises NotFound."""
        await self._outbound.send(
            "PATCH",
            f"{RECORD}/{kind}/{ident}",
            template=f"{RECORD}/{kind}/{{id}}",
            body=body,
            headers=_STRICT,
            repeatable=True,
        )

    async def query(self, sql: str) -> list[Row]:
        """The rows of one SuiteQL query, which fetches no more than a page of 1000."""
        answer = await self._outbound.send(
            "POST",
            _QUERY,
            params={"limit": "1000", "offset": "0"},
            body={"q": sql},
            headers={"Prefer": "transient"},
            effect=False,
        )
        return answer.json(NetSuiteRows).items

    async def probe(self, method: str, path: str) -> None:
        """A call that changes nothing; raises the refusal when our role may not make it."""
        body = {} if method == "PATCH" else None
        await self._outbound.send(method, f"{RECORD}/{path}", body=body, effect=False, ok=(404,))

    async def schemas(self, kinds: tuple[str, ...]) -> dict[str, Any]:
        """The account's own schema of each record type, its custom fields included."""
        answer = await self._outbound.send(
            "GET",
            f"{RECORD}/metadata-catalog",
            params={"select": ",".join(kinds)},
            headers={"Accept": "application/swagger+json"},
        )
        return answer.json(dict[str, Any]).get("components", {}).get("schemas", {})

    async def governance(self) -> NetSuiteGovernance:
        """How many calls may be under way at once."""
        return (await self._outbound.send("GET", _GOVERNANCE)).json(NetSuiteGovernance)

    async def clock(self, which: Order) -> Seen | None:
        """By the customer that changed last (or first): SuiteQL has the user's clock, the record API UTC."""
        rows = await self.query(RowSource("customer").outermost(which))
        if not rows or "changed" not in rows[0]:
            return None
        try:
            record, _ = await self.read("customer", rows[0]["id"], NetSuiteHead)
            return Seen.of(dt.datetime.fromisoformat(rows[0]["changed"]), record.last_modified_date)
        except (NotFound, ValueError):
            return None
