"""system_apis: the lists of a NetSuite account that are polled: it has no stream, and a push may be lost."""

from functools import partial

from contracts.events.kinds import CONTRACT_CHANGED, CUSTOMER_CHANGED
from system_apis.connector.cursor_poll import CursorPoll, Watched
from system_apis.connector.local_rows import LocalRows
from system_apis.connector.local_time import Place
from system_apis.connector.own_writes import OwnWrites
from system_apis.vendors.netsuite.client import NetSuiteClient
from system_apis.vendors.netsuite.mapping import queries
from system_apis.vendors.netsuite.profile import NetSuiteProfile
from system_apis.vendors.netsuite.records import Row

_TABLES = {"customer": ("customer", CUSTOMER_CHANGED), "contract": ("transaction", CONTRACT_CHANGED)}


def poll(
    profile: NetSuiteProfile, client: NetSuiteClient, own_writes: OwnWrites, rows: LocalRows
) -> CursorPoll:
    """NetSuite's instants are late and coarse, so each poll overlaps the one before."""
    size = profile.changes.page_size

    async def since(table: str, place: Place) -> list[Row]:
        return await client.query(queries.changes_since(table, place, size))

    def watched(noun: str, table: str, event: str) -> Watched:
        newest = partial(client.query, queries.newest(table))
        return rows.watched(noun, event, newest, partial(since, table), size, own_writes)

    lists = {noun: watched(noun, *names) for noun, names in _TABLES.items()}
    return CursorPoll(f"{profile.name}:poll", lists, profile.changes)
