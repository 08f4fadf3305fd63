"""system_apis: the lists of a NetSuite account that are polled: it has no stream, and a push may be lost."""

from functools import partial
from typing import Any

from contracts.events.kinds import CONTRACT_CHANGED, CUSTOMER_CHANGED
from system_apis.connector.cursor_poll import CursorPoll, Watched
from system_apis.connector.local_rows import LocalRows
from system_apis.connector.oracle_sql import RowSource
from system_apis.connector.own_writes import OwnWrites
from system_apis.vendors.netsuite.mapping import queries
from system_apis.vendors.netsuite.mapping.values import column
from system_apis.vendors.netsuite.profile import NetSuiteProfile
from system_apis.vendors.netsuite.records import NetSuiteCustomer, NetSuiteOrderRow


def poll(profile: NetSuiteProfile, own_writes: OwnWrites, rows: LocalRows) -> CursorPoll:
    """NetSuite's instants are late and coarse, so each poll overlaps the one before."""
    size = profile.changes.page_size

    def watched(noun: str, event: str, source: RowSource, shape: type[Any]) -> Watched:
        records = partial(rows.records, shape, column=column, changed="lastModifiedDate")
        return rows.watched(noun, event, source, size, own_writes, records)

    lists = {
        "customer": watched("customer", CUSTOMER_CHANGED, queries.customers(profile), NetSuiteCustomer),
        "contract": watched("contract", CONTRACT_CHANGED, queries.orders(profile), NetSuiteOrderRow),
    }
    return CursorPoll(f"{profile.name}:poll", lists, profile.changes)
