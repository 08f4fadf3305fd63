"""system_apis: the SuiteQL queries to NetSuite.

Not every account accepts bound parameters, so values are in the text: numbers are converted first, texts are
quoted by `literal`, and column names are checked when the profile is read.
"""
# ruff: noqa: S608 - see above

from collections.abc import Callable, Iterable

from system_apis.connector.erp import ContractFields, CustomerFields
from system_apis.connector.firm_search import by_domain, by_name, by_number, literal
from system_apis.connector.local_time import Place
from system_apis.vendors.netsuite.profile import NetSuiteProfile

_CUSTOMER = (
    "id externalid entityid companyname email url subsidiary currency terms creditlimit entitystatus"
    " creditholdoverride isinactive parent"
)
_ORDER = "id tranid externalid entity status currency subsidiary memo terms foreigntotal"
_CHANGED = "TO_CHAR(lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS')"
MOST_MATCHES = 20

Since = Callable[[NetSuiteProfile, Place | None, int], str]


def customers_since(profile: NetSuiteProfile, place: Place | None, limit: int) -> str:
    """The next customers by last change."""
    return _select(_columns(_CUSTOMER, profile.fields.customer), "customer", _after(place), limit)


def orders_since(profile: NetSuiteProfile, place: Place | None, limit: int, customer_id: str = "") -> str:
    """The next sales orders by last change, of one customer if given."""
    conditions = ["type = 'SalesOrd'", *_after(place)]
    if customer_id:
        conditions.append(f"entity = {int(customer_id)}")
    return _select(_columns(_ORDER, profile.fields.contract), "transaction", conditions, limit)


def newest(table: str) -> str:
    """When the last change was."""
    where = " WHERE type = 'SalesOrd'" if table == "transaction" else ""
    return (
        f"SELECT id, {_CHANGED} AS changed FROM {table}{where}"
        " ORDER BY lastmodifieddate DESC, id DESC FETCH FIRST 1 ROWS ONLY"
    )


def whole_table(table: str, column: str) -> str:
    return f"SELECT id, {column} FROM {table} FETCH FIRST 1000 ROWS ONLY"


def count(table: str) -> str:
    return f"SELECT COUNT(*) AS n FROM {table}"


def by_ids(table: str, column: str, ids: Iterable[str]) -> str:
    """The names of some records."""
    wanted = ", ".join(sorted({str(int(ident)) for ident in ids}))
    return f"SELECT id, {column} AS name FROM {table} WHERE id IN ({wanted})"


def line_sums(order_ids: Iterable[str]) -> str:
    """The net value per order; revenue is negative in the ledger."""
    wanted = ", ".join(str(int(ident)) for ident in order_ids)
    return (
        "SELECT transaction, SUM(foreignamount) AS amount FROM transactionline"
        f" WHERE mainline = 'F' AND taxline = 'F' AND transaction IN ({wanted}) GROUP BY transaction"
    )


def matches(profile: NetSuiteProfile, name: str, tax_number: str, domain: str) -> str | None:
    """Customers that may be the same firm, also some that are not; None without a criterion."""
    number = profile.fields.customer.tax_number.lower()
    conditions = [
        *by_number(number, tax_number),
        *by_name("companyname", name),
        *by_domain("email", "url", domain),
    ]
    if not conditions:
        return None
    columns = ", ".join([*_columns(_CUSTOMER, profile.fields.customer), f"{_CHANGED} AS changed"])
    where = " OR ".join(conditions)
    return f"SELECT {columns} FROM customer WHERE {where} ORDER BY id FETCH FIRST 500 ROWS ONLY"


def _columns(names: str, fields: CustomerFields | ContractFields) -> list[str]:
    own = [field.lower() for field in fields.named().values()]
    return list(dict.fromkeys([*names.split(), *own]))


def _after(place: Place | None) -> list[str]:
    """Strictly after a place. The text is compared, because the column may be finer than seconds."""
    if place is None:
        return []
    at = literal(place.changed)
    return [
        f"lastmodifieddate >= TO_TIMESTAMP({at}, 'YYYY-MM-DD HH24:MI:SS')",
        f"({_CHANGED} > {at} OR ({_CHANGED} = {at} AND id > {place.id}))",
    ]


def _select(columns: list[str], table: str, conditions: list[str], limit: int) -> str:
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return (
        f"SELECT {', '.join(columns)}, {_CHANGED} AS changed FROM {table}{where}"
        f" ORDER BY {_CHANGED}, id FETCH FIRST {limit} ROWS ONLY"
    )
