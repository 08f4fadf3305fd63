"""system_apis: the records of a Salesforce org by last change, for an application's streams and poll."""

import datetime as dt
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Generic, NamedTuple, TypeVar

import msgspec

from system_apis.connector.change import Change
from system_apis.connector.cursor_poll import BEGINNING, CursorPoll, Page, Watched
from system_apis.connector.paging import keyset
from system_apis.connector.unreadable import Unreadable, why_of
from system_apis.connector.values import content_of, utc
from system_apis.platforms.salesforce_org import soql
from system_apis.platforms.salesforce_org.client import OrgClient
from system_apis.platforms.salesforce_org.connection import OrgProfile
from system_apis.platforms.salesforce_org.records import ChangeRecord, Row, Stamped
from system_apis.platforms.salesforce_org.soql import Place

C = TypeVar("C", bound=ChangeRecord)

_FIRST_WAITS = (1.0, 2.0, 4.0, 8.0, 16.0)


class SObject(NamedTuple, Generic[C]):
    """An object that is watched: its columns beside the stamps, and the changes that a record shows.

    `changes` is given the content of the columns, too: records have whole seconds and no version. `whole` is
    what a record must be to be read as its `noun`.
    """

    name: str
    noun: str
    record: type[C]
    whole: type[Stamped]
    columns: tuple[str, ...]
    changes: Callable[[C, str], list[Change]]


class ChangedRecords(Generic[C]):
    """One object's records by last change, the deleted included.

    Our own writes are not recognised: the record's last change may be ours and hide a person's, so a
    consumer has to compare.
    """

    def __init__(self, client: OrgClient, sobject: SObject[C], page_size: int) -> None:
        self._client = client
        self._sobject = sobject
        self._size = page_size

    async def newest(self) -> dt.datetime:
        query = soql.newest(self._sobject.name)
        newest = await self._client.first(query, ChangeRecord, deleted=True)
        return utc(newest.record.system_modstamp) if newest else BEGINNING

    async def pages(self, since: dt.datetime) -> AsyncIterator[Page]:
        """All that changed since an instant, oldest change first."""

        def read(place: Place | None) -> Awaitable[list[Row[C] | Unreadable]]:
            return self._records(soql.both(soql.since(since), soql.after(place)), self._size)

        name = self._sobject.name
        async for records in keyset(self._client.instance, name, read, _place_of, self._size, None):
            if records:
                yield Page(self._changes(records), _place_of(records[-1])[0])

    async def by_ids(self, ids: Iterable[str]) -> list[Change]:
        """The changes that the present state of some records shows."""
        return self._changes(await self._records(soql.by_ids(ids)))

    async def _records(self, where: str, limit: int | None = None) -> list[Row[C] | Unreadable]:
        query = soql.changed(self._sobject.name, where, self._sobject.columns, limit=limit)
        return await self._client.query_some(query, self._sobject.record, deleted=True)

    def _changes(self, rows: Iterable[Row[C] | Unreadable]) -> list[Change]:
        return [one for row in rows for one in self._changes_of(row)]

    def _changes_of(self, row: Row[C] | Unreadable) -> list[Change]:
        """A record that is off its schema is reported as that: no flow hears of it until it reads well."""
        if not isinstance(row, Unreadable) and not row.record.is_deleted:
            row = self._whole(row)
        if isinstance(row, Unreadable):
            return [row.change(self._client.instance, self._sobject.noun)]
        return self._sobject.changes(row.record, content_of(row.all))

    def _whole(self, row: Row[C]) -> Row[C] | Unreadable:
        try:
            msgspec.convert(row.all, self._sobject.whole)
        except msgspec.ValidationError as error:
            return Unreadable(row.record.id, utc(row.record.system_modstamp), why_of(error))
        return row


def _place_of(row: Row[C] | Unreadable) -> Place:
    if isinstance(row, Unreadable):
        return row.at, row.id
    return utc(row.record.system_modstamp), row.record.id


def poll(profile: OrgProfile, watched: dict[str, ChangedRecords]) -> CursorPoll:
    """The poll, which finds what the streams lost; it runs often while they are still subscribing."""
    lists = {name: Watched(each.pages, each.newest) for name, each in watched.items()}
    return CursorPoll(f"{profile.name}:poll", lists, profile.changes, first=_FIRST_WAITS)
