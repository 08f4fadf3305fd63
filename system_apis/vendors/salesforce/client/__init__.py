"""system_apis: the calls to a Salesforce org's REST API."""

import datetime as dt
from email.utils import format_datetime
from typing import Any, TypeVar

import msgspec

from contracts.problems import Problem, VendorDoubtful
from kit.http import Answer, Outbound
from system_apis.connector.paging import PageGuard
from system_apis.vendors.salesforce.auth import Session
from system_apis.vendors.salesforce.client import soql
from system_apis.vendors.salesforce.client.soql import Place
from system_apis.vendors.salesforce.records import (
    AccountRecord,
    ChangeRecord,
    CompositeAnswer,
    ContactRecord,
    Limit,
    LineItem,
    MergedRecord,
    ObjectDescribe,
    OpportunityRecord,
    OrganizationRecord,
    Page,
    Row,
    StageRecord,
    Stamped,
    SubAnswer,
    TeamMemberRecord,
)
from system_apis.vendors.salesforce.settings.maps import Maps

R = TypeVar("R", bound=msgspec.Struct)

_CHILDREN = {"opportunity_line_items": LineItem, "opportunity_team_members": TeamMemberRecord}


class SalesforceClient:
    """One org. All pages of a long answer are read; every refusal is raised as a problem."""

    def __init__(self, outbound: Outbound, session: Session, maps: Maps, api_version: str) -> None:
        self._outbound = outbound
        self._session = session
        self._maps = maps
        self._data = f"/services/data/v{api_version}"

    @property
    def instance(self) -> str:
        return self._outbound.instance

    async def instance_url(self) -> str:
        """Where the org answers now, which is also where its screens are."""
        return (await self._session.identity()).instance_url

    async def opportunity(self, record_id: str) -> Row[OpportunityRecord] | None:
        """An opportunity with lines and team in one call."""
        rows = await self._opportunities(soql.by_id(record_id), limit=None)
        return rows[0] if rows else None

    async def opportunities(
        self, since: dt.datetime | None, after: Place | None, limit: int
    ) -> list[Row[OpportunityRecord]]:
        """By last change, oldest first."""
        return await self._opportunities(soql.both(soql.since(since), soql.after(after)), limit=limit)

    async def account(self, record_id: str) -> Row[AccountRecord] | None:
        rows = await self.query(soql.accounts(self._maps, soql.by_id(record_id)), AccountRecord)
        return rows[0] if rows else None

    async def merged_into(self, record_id: str) -> str:
        """The remaining account of a merger in which this one was deleted; empty without a merger."""
        rows = await self.query(soql.merged(soql.by_id(record_id)), MergedRecord, deleted=True)
        return (rows[0].record.master_record_id or "") if rows else ""

    async def accounts(
        self, since: dt.datetime | None, after: Place | None, limit: int
    ) -> list[Row[AccountRecord]]:
        """By last change, oldest first."""
        where = soql.both(soql.since(since), soql.after(after))
        return await self.query(soql.accounts(self._maps, where, limit=limit), AccountRecord)

    async def contacts(self, account_id: str, after: Place | None, limit: int) -> list[Row[ContactRecord]]:
        """Of one account, by last change, oldest first."""
        where = soql.both(f"AccountId = {soql.quoted(account_id)}", soql.after(after))
        return await self.query(soql.contacts(where, limit=limit), ContactRecord)

    async def changed(self, sobject: str, where: str, limit: int | None = None) -> list[Row[ChangeRecord]]:
        """What changed, the deleted included, oldest change first."""
        return await self.query(soql.changed(sobject, where, limit=limit), ChangeRecord, deleted=True)

    async def newest(self, sobject: str) -> Row[ChangeRecord] | None:
        rows = await self.query(soql.newest(sobject), ChangeRecord, deleted=True)
        return rows[0] if rows else None

    async def stages(self) -> list[StageRecord]:
        """The org's own stages: labels are its business, what counts is which of them are won."""
        return [row.record for row in await self.query(soql.STAGES, StageRecord)]

    async def organization(self) -> OrganizationRecord | None:
        rows = await self.query(soql.ORGANIZATION, OrganizationRecord)
        return rows[0].record if rows else None

    async def describe(self, sobject: str) -> ObjectDescribe:
        answer = await self._get(f"{self._data}/sobjects/{sobject}/describe")
        return answer.json(ObjectDescribe)

    async def limits(self) -> dict[str, Limit]:
        """The rest of each allowance."""
        answer = await self._get(f"{self._data}/limits")
        limits = answer.json(dict[str, Any])
        return {
            name: self._convert(value, Limit, answer)
            for name, value in limits.items()
            if isinstance(value, dict) and {"Max", "Remaining"} <= value.keys()
        }

    async def update_opportunity(
        self, record_id: str, fields: dict[str, Any], unmodified_since: dt.datetime
    ) -> Stamped:
        """Write some fields and read the record's new stamps, in one call and one transaction.

        Raises PreconditionFailed when the record was saved after the instant (in whole seconds).
        Only stamps are read: a composite call returns texts with HTML escapes.
        """
        path = f"{self._data}/sobjects/Opportunity/{record_id}"
        answer = await self._send(
            "POST",
            f"{self._data}/composite",
            body={
                "allOrNone": True,
                "collateSubrequests": False,
                "compositeRequest": [
                    {
                        "method": "PATCH",
                        "url": path,
                        "referenceId": "write",
                        "httpHeaders": {
                            "If-Unmodified-Since": format_datetime(unmodified_since, usegmt=True)
                        },
                        "body": fields,
                    },
                    {
                        "method": "GET",
                        "url": f"{path}?fields=Id,SystemModstamp,LastModifiedDate",
                        "referenceId": "read",
                    },
                ],
            },
            # Writing the same again changes nothing, and a save in between is detected.
            repeatable=True,
        )
        written, read = self._succeeded(answer, "write", "read")
        del written
        return self._convert(read.body, Stamped, answer)

    async def query(self, query: str, kind: type[R], *, deleted: bool = False) -> list[Row[R]]:
        """All rows of a query, of which `kind` is what every org has."""
        path = f"{self._data}/{'queryAll' if deleted else 'query'}"
        answer = await self._get(path, params={"q": query})
        rows: list[Row[R]] = []
        guard = PageGuard(self.instance, path)
        while True:
            page = answer.json(Page[kind])
            raw = answer.json(Page[dict[str, Any]])
            rows += map(Row, page.records, raw.records)
            if page.done or not page.next_records_url:
                return rows
            guard.turn(page.next_records_url)
            answer = await self._get(page.next_records_url, template=f"{path}/{{locator}}")

    async def _opportunities(self, where: str, limit: int | None) -> list[Row[OpportunityRecord]]:
        query = soql.opportunities(self._maps, where, limit=limit)
        return [await self._whole(row) for row in await self.query(query, OpportunityRecord)]

    async def _whole(self, row: Row[OpportunityRecord]) -> Row[OpportunityRecord]:
        """The row with all of its children: a long child list comes in pages of its own."""
        record = row.record
        for name, kind in _CHILDREN.items():
            page = getattr(record, name)
            guard = PageGuard(self.instance, name)
            while page and not page.done and page.next_records_url:
                guard.turn(page.next_records_url)
                answer = await self._get(page.next_records_url, template=f"{self._data}/query/{{locator}}")
                more = answer.json(Page[kind])
                page = msgspec.structs.replace(more, records=page.records + more.records)
            record = msgspec.structs.replace(record, **{name: page})
        return Row(record, row.all)

    async def _get(self, path: str, *, params: dict[str, str] | None = None, template: str = "") -> Answer:
        return await self._send("GET", path, params=params, template=template)

    async def _send(self, method: str, path: str, *, template: str = "", **more: Any) -> Answer:
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

    def _succeeded(self, answer: Answer, *references: str) -> tuple[SubAnswer, ...]:
        """The sub-answers by reference; raises ContractViolation where one is missing."""
        parts = {part.reference_id: part for part in answer.json(CompositeAnswer).composite_response}
        if missing := [name for name in references if name not in parts]:
            raise answer.violation(f"a composite call has no part {missing[0]}")
        return tuple(parts[name] for name in references)

    def _convert(self, value: Any, kind: type[R], answer: Answer) -> R:
        try:
            return msgspec.convert(value, kind)
        except msgspec.ValidationError as error:
            raise answer.violation(str(error)) from None
