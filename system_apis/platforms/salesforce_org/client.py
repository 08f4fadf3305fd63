"""system_apis: the calls to a Salesforce org's REST API that every application in it needs."""

import datetime as dt
import re
from email.utils import format_datetime
from typing import Any, TypeVar

import msgspec

from contracts.problems import ContractViolation, Problem, VendorDoubtful
from kit.http import Outbound, VendorAnswer
from system_apis.connector.paging import pages
from system_apis.connector.unreadable import Unreadable, record_in
from system_apis.connector.values import utc
from system_apis.platforms.salesforce_org import soql
from system_apis.platforms.salesforce_org.auth import OrgSession
from system_apis.platforms.salesforce_org.records import (
    CompositeAnswer,
    CurrencyTypeRecord,
    ObjectDescribe,
    OrganizationRecord,
    OrgLimit,
    OrgRecordHead,
    Page,
    Row,
    Stamped,
    SubAnswer,
)

R = TypeVar("R", bound=msgspec.Struct)
_LOCATOR = re.compile(r"(/[A-Za-z0-9._\-]+)+")  # a path, which follows the org's own address


class OrgClient:
    """One org. All pages of a long answer are read; every refusal is raised as a problem."""

    def __init__(self, outbound: Outbound, session: OrgSession, api_version: str) -> None:
        self._outbound = outbound
        self._session = session
        self._data = f"/services/data/v{api_version}"

    @property
    def instance(self) -> str:
        return self._outbound.instance

    async def instance_url(self) -> str:
        """Where the org answers now, which is also where its screens are."""
        return (await self._session.identity()).instance_url

    async def organization(self) -> OrganizationRecord | None:
        rows = await self.query(soql.ORGANIZATION, OrganizationRecord)
        return rows[0].record if rows else None

    async def time_zone(self) -> str:
        """The org's, by Salesforce's name of it; empty where our user may not read it."""
        org = await self.organization()
        return (org.time_zone_sid_key or "") if org else ""

    async def corporate_currency(self) -> str:
        """The org's own currency; only an org with multiple currencies has a table of them."""
        rows = await self.query(soql.CORPORATE_CURRENCY, CurrencyTypeRecord)
        return rows[0].record.iso_code if rows else ""

    async def describe(self, sobject: str) -> ObjectDescribe:
        answer = await self._send("GET", f"{self._data}/sobjects/{sobject}/describe")
        return answer.json(ObjectDescribe)

    async def limits(self) -> dict[str, OrgLimit]:
        """The rest of each allowance."""
        answer = await self._send("GET", f"{self._data}/limits")
        limits = answer.json(dict[str, Any])
        return {
            name: _convert(value, OrgLimit, answer)
            for name, value in limits.items()
            if isinstance(value, dict) and {"Max", "Remaining"} <= value.keys()
        }

    async def update(
        self, sobject: str, record_id: str, fields: dict[str, Any], unmodified_since: dt.datetime
    ) -> Stamped:
        """Write some fields and read the record's new stamps, in one call and one transaction.

        Raises PreconditionFailed when the record was saved after the instant (in whole seconds).
        Only stamps are read: a composite call returns texts with HTML escapes.
        """
        path = f"{self._data}/sobjects/{sobject}/{record_id}"
        write = {
            "method": "PATCH",
            "url": path,
            "referenceId": "write",
            "httpHeaders": {"If-Unmodified-Since": format_datetime(unmodified_since, usegmt=True)},
            "body": fields,
        }
        read = {
            "method": "GET",
            "url": f"{path}?fields=Id,SystemModstamp,LastModifiedDate",
            "referenceId": "read",
        }
        answer = await self._send(
            "POST",
            f"{self._data}/composite",
            body={"allOrNone": True, "collateSubrequests": False, "compositeRequest": [write, read]},
            # Writing the same again changes nothing, and a save in between is detected.
            repeatable=True,
        )
        _, stamps = _parts(answer, "write", "read")
        return _convert(stamps.body, Stamped, answer)

    async def query(self, query: str, kind: type[R], *, deleted: bool = False) -> list[Row[R]]:
        """All rows of a query, of which `kind` is what every org has."""
        path = f"{self._data}/{'queryAll' if deleted else 'query'}"

        async def read(locator: str) -> tuple[list[Row[R]], str | None]:
            first: dict[str, Any] = {"params": {"q": query}}
            more: dict[str, Any] = {"template": f"{path}/{{locator}}"}
            answer = await self._send("GET", locator or path, **(more if locator else first))
            page, raw = answer.json(Page[kind]), answer.json(Page[dict[str, Any]])
            return list(map(Row, page.records, raw.records)), self._following(page)

        return [row async for rows in pages(self.instance, path, read, "") for row in rows]

    async def query_some(
        self, query: str, kind: type[R], *, deleted: bool = False
    ) -> list[Row[R] | Unreadable]:
        """All rows of a query for a list: one that is off its schema comes as that."""
        path = f"{self._data}/{'queryAll' if deleted else 'query'}"

        async def read(locator: str) -> tuple[list[Row[R] | Unreadable], str | None]:
            more: dict[str, Any] = (
                {"template": f"{path}/{{locator}}"} if locator else {"params": {"q": query}}
            )
            answer = await self._send("GET", locator or path, **more)
            page = answer.json(Page[msgspec.Raw])
            return [_row(answer, raw, kind) for raw in page.records], self._following(page)

        return [row async for rows in pages(self.instance, path, read, "") for row in rows]

    async def first(self, query: str, kind: type[R], *, deleted: bool = False) -> Row[R] | None:
        rows = await self.query(query, kind, deleted=deleted)
        return rows[0] if rows else None

    async def children(self, page: Page[Any] | None, kind: type[R]) -> Page[R] | None:
        """A list of children with what is on its further pages: a long one comes in pages of its own."""
        start = self._following(page) if page else None
        if page is None or start is None:
            return page

        async def read(locator: str) -> tuple[Page[R], str | None]:
            answer = await self._send("GET", locator, template=f"{self._data}/query/{{locator}}")
            more = answer.json(Page[kind])
            return more, self._following(more)

        rows = [row async for more in pages(self.instance, "children", read, start) for row in more.records]
        return Page((*page.records, *rows))

    def _following(self, page: Page[Any]) -> str | None:
        """The path of the next page; raises ContractViolation for one that could lead to another host."""
        locator = None if page.done else page.next_records_url or None
        if locator is not None and not _LOCATOR.fullmatch(locator):
            raise ContractViolation(
                f"{self.instance} named a next page at another address", instance=self.instance
            )
        return locator

    async def _send(self, method: str, path: str, *, template: str = "", **more: Any) -> VendorAnswer:
        url = await self.instance_url()
        try:
            return await self._outbound.send(method, url + path, template=template or path, **more)
        except VendorDoubtful:
            raise
        except Problem:
            # A login in between may have shown that the org has moved: then the call went to the old address.
            moved = await self.instance_url()
            if moved == url:
                raise
            return await self._outbound.send(method, moved + path, template=template or path, **more)


def _row(answer: VendorAnswer, raw: msgspec.Raw, kind: type[R]) -> Row[R] | Unreadable:
    """A row; raises ContractViolation where it has no id or no last change."""

    def read() -> Row[R]:
        return Row(answer.part(raw, kind), answer.part(raw, dict[str, Any]))

    return record_in(answer, raw, read, OrgRecordHead, lambda head: (utc(head.system_modstamp), head.id))


def _parts(answer: VendorAnswer, *references: str) -> tuple[SubAnswer, ...]:
    """The sub-answers by reference; raises ContractViolation where one is missing."""
    parts = {part.reference_id: part for part in answer.json(CompositeAnswer).composite_response}
    if missing := [name for name in references if name not in parts]:
        raise answer.violation(f"a composite call has no part {missing[0]}")
    return tuple(parts[name] for name in references)


def _convert(value: Any, kind: type[R], answer: VendorAnswer) -> R:
    try:
        return msgspec.convert(value, kind)
    except msgspec.ValidationError as error:
        raise answer.violation(str(error)) from None
