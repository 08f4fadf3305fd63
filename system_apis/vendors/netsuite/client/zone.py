"""system_apis: the time zone of an account's SuiteQL answers, determined by reading one record twice."""

import datetime as dt
from typing import Literal

from contracts.problems import NotFound
from system_apis.connector.wall_clock import Seen
from system_apis.vendors.netsuite.client import NetSuiteClient
from system_apis.vendors.netsuite.records import NetSuiteCustomer

_CUSTOMERS = "SELECT id, TO_CHAR(lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS') AS changed FROM customer"


async def seen(client: NetSuiteClient, which: Literal["DESC", "ASC"] = "DESC") -> Seen | None:
    """By the customer that changed last (or first): SuiteQL has the user's clock, the record API has UTC."""
    rows = await client.query(f"{_CUSTOMERS} ORDER BY lastmodifieddate {which}, id FETCH FIRST 1 ROWS ONLY")
    if not rows or "changed" not in rows[0]:
        return None
    try:
        record, _ = await client.read("customer", rows[0]["id"], NetSuiteCustomer)
        return Seen.of(dt.datetime.fromisoformat(rows[0]["changed"]), record.last_modified_date)
    except (NotFound, ValueError):
        return None
