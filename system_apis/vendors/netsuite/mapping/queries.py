"""system_apis: the SuiteQL queries to NetSuite."""
# ruff: noqa: S608 - values are numbers or quoted, names are checked when the profile is read

from collections.abc import Iterable

from system_apis.connector.firm_search import by_domain, by_name, by_number
from system_apis.connector.oracle_sql import RowSource, columns, numbers
from system_apis.vendors.netsuite.profile import NetSuiteProfile

_CUSTOMER = (
    "id externalid entityid companyname email url subsidiary currency terms creditlimit entitystatus"
    " creditholdoverride isinactive parent"
)
_ORDER = "id tranid externalid entity status currency subsidiary memo terms foreigntotal"
MOST_MATCHES = 20
FIRST_SUBSIDIARYS_CURRENCY = (
    "SELECT currency.symbol AS symbol FROM subsidiary JOIN currency ON currency.id = subsidiary.currency"
    " WHERE subsidiary.parent IS NULL"
)


def customers(profile: NetSuiteProfile) -> RowSource:
    return RowSource("customer", columns(_CUSTOMER, profile.fields.customer))


def orders(profile: NetSuiteProfile, customer_id: str = "") -> RowSource:
    """The sales orders, of one customer if given."""
    theirs = (f"entity = {int(customer_id)}",) if customer_id else ()
    return RowSource("transaction", columns(_ORDER, profile.fields.contract), ("type = 'SalesOrd'", *theirs))


def line_sums(order_ids: Iterable[str]) -> str:
    """The net value per order; revenue is negative in the ledger."""
    return (
        "SELECT transaction, SUM(foreignamount) AS amount FROM transactionline"
        f" WHERE mainline = 'F' AND taxline = 'F' AND transaction IN ({numbers(order_ids)})"
        " GROUP BY transaction"
    )


# Accounts without the feature Multi-Subsidiary Customer have no such table.
_RELATIONS = "FROM customersubsidiaryrelationship WHERE isprimarysub = 'F'"
SHARED_CUSTOMERS = f"SELECT COUNT(*) AS number {_RELATIONS}"


def other_subsidiaries(customer_ids: Iterable[str]) -> str:
    """The subsidiaries of customers beside their primary ones."""
    return f"SELECT entity, subsidiary {_RELATIONS} AND entity IN ({numbers(customer_ids)}) ORDER BY id"


def matches(profile: NetSuiteProfile, name: str, tax_number: str, domain: str) -> str | None:
    """Customers that may be the same firm, also some that are not; None without a criterion."""
    conditions = [
        *by_number(profile.fields.customer.tax_number.lower(), tax_number),
        *by_name("companyname", name),
        *by_domain("email", "url", domain),
    ]
    return customers(profile).any_of(conditions, 500) if conditions else None
