"""system_apis: the lists of a NetSuite account that are polled: it has no stream, and a push may be lost."""

from contracts.events.kinds import CONTRACT_CHANGED, CUSTOMER_CHANGED
from system_apis.connector.cursor_poll import CursorPoll
from system_apis.connector.local_rows import LocalRows
from system_apis.connector.own_writes import OwnWrites
from system_apis.vendors.netsuite.mapping import queries
from system_apis.vendors.netsuite.profile import NetSuiteProfile


def poll(profile: NetSuiteProfile, own_writes: OwnWrites, rows: LocalRows) -> CursorPoll:
    """NetSuite's instants are late and coarse, so each poll overlaps the one before."""
    sources = {
        "customer": (CUSTOMER_CHANGED, queries.customers(profile)),
        "contract": (CONTRACT_CHANGED, queries.orders(profile)),
    }
    size = profile.changes.page_size
    lists = {noun: rows.watched(noun, *source, size, own_writes) for noun, source in sources.items()}
    return CursorPoll(f"{profile.name}:poll", lists, profile.changes)
