"""system_apis: the lists of a NetSuite account that are polled: it has no stream, and a push may be lost."""

from functools import partial

from contracts.events.kinds import CONTRACT_CHANGED, CUSTOMER_CHANGED
from system_apis.connector.cursor_poll import CursorPoll
from system_apis.connector.local_rows import LocalRows
from system_apis.connector.local_time import Place
from system_apis.connector.own_writes import OwnWrites
from system_apis.vendors.netsuite.client import NetSuiteClient
from system_apis.vendors.netsuite.mapping import queries
from system_apis.vendors.netsuite.profile import NetSuiteProfile
from system_apis.vendors.netsuite.records import Row

_LISTS = {
    "customer": ("customer", CUSTOMER_CHANGED, queries.customers_since),
    "contract": ("transaction", CONTRACT_CHANGED, queries.orders_since),
}


def poll(
    profile: NetSuiteProfile, client: NetSuiteClient, own_writes: OwnWrites, rows: LocalRows
) -> CursorPoll:
    """NetSuite's instants are late and coarse, so each poll overlaps the one before."""
    size, lists = profile.changes.page_size, {}
    for noun, (table, event, query) in _LISTS.items():

        async def since(place: Place, query: queries.Since = query) -> list[Row]:
            return await client.query(query(profile, place, size))

        newest = partial(client.query, queries.newest(table))
        lists[noun] = rows.watched(noun, event, newest, since, size, own_writes)
    return CursorPoll(f"{profile.name}:poll", lists, profile.changes)
