"""system_apis: the questions that we put to NetSuite in SuiteQL, and who of the answers is alike.

Not every account takes bound parameters, so values stand in the text: numbers are made numbers first, texts
go through `literal`, and column names are checked when the profile is read.
"""
# ruff: noqa: S608 - see above

import datetime as dt
import re
import unicodedata
from collections.abc import Iterable
from string import ascii_uppercase

import msgspec

from contracts.canonical.customer import Customer
from system_apis.vendors.netsuite.settings.maps import Maps

_CUSTOMER = (
    "id externalid entityid companyname email url subsidiary currency terms creditlimit entitystatus"
    " creditholdoverride isinactive parent"
)
_ORDER = "id tranid externalid entity status currency subsidiary memo terms"
_CHANGED = "TO_CHAR(lastmodifieddate, 'YYYY-MM-DD HH24:MI:SS')"
# Words that say what kind of company it is and not which one.
_FORMS = frozenset(
    {"incorporated", "inc", "corporation", "corp", "company", "co", "limited", "ltd", "llc", "llp", "plc"}
    | {"gmbh", "ag", "se", "kg", "sarl", "sas", "sa", "bv", "nv", "group", "holding"}
)
MOST_MATCHES = 20


class Place(msgspec.Struct, frozen=True):
    """How far a list has been read: the last row's change and id."""

    changed: str
    id: int = 0


def literal(text: str) -> str:
    """A text in SuiteQL."""
    return "'" + text.replace("'", "''") + "'"


def customers_since(maps: Maps, place: Place | None, limit: int) -> str:
    """The next customers by last change."""
    return _select(_columns(_CUSTOMER, maps.fields.customer), "customer", _after(place), limit)


def orders_since(maps: Maps, place: Place | None, limit: int, customer_id: str = "") -> str:
    """The next sales orders by last change, of one customer if given."""
    conditions = ["type = 'SalesOrd'", *_after(place)]
    if customer_id:
        conditions.append(f"entity = {int(customer_id)}")
    return _select(_columns(_ORDER, maps.fields.contract), "transaction", conditions, limit)


def changes_since(table: str, place: Place, limit: int) -> str:
    """Only what tells a change: id, key and when."""
    conditions = ["type = 'SalesOrd'"] if table == "transaction" else []
    return _select(["id", "externalid"], table, [*conditions, *_after(place)], limit)


def line_sums(order_ids: Iterable[str]) -> str:
    """The net value per order; revenue is negative in the ledger."""
    wanted = ", ".join(str(int(ident)) for ident in order_ids)
    return (
        "SELECT transaction, SUM(foreignamount) AS amount FROM transactionline"
        f" WHERE mainline = 'F' AND taxline = 'F' AND transaction IN ({wanted}) GROUP BY transaction"
    )


def matches(maps: Maps, name: str, tax_number: str, domain: str) -> str | None:
    """Customers that may be the same firm, more than may be meant; None when nothing is asked."""
    tax_field = maps.fields.customer.tax_number.lower()
    conditions: list[str] = []
    digits = plain_number(tax_number)
    if digits and tax_field:
        bare = f"REPLACE(REPLACE(REPLACE(UPPER({tax_field}), ' ', ''), '-', ''), '.', '')"
        conditions.append(f"{bare} LIKE {literal('%' + (digits.lstrip(ascii_uppercase) or digits))}")
    words = _words(name)
    if words:
        likes = (f"LOWER(companyname) LIKE {literal(f'%{word}%')}" for word in words)
        conditions.append("(" + " AND ".join(likes) + ")")
    if domain:
        conditions.append(f"LOWER(email) LIKE {literal('%@' + domain.lower())}")
    if not conditions:
        return None
    columns = ", ".join([*_columns(_CUSTOMER, maps.fields.customer), f"{_CHANGED} AS changed"])
    where = " OR ".join(conditions)
    return f"SELECT {columns} FROM customer WHERE {where} ORDER BY id FETCH FIRST 500 ROWS ONLY"


def alike(found: Customer, name: str, tax_number: str, domain: str) -> bool:
    """Whether a found customer's tax number, normal name or e-mail domain is indeed the one asked for."""
    numbers = {plain_number(each.number) for each in found.tax_registrations}
    asked = plain_number(tax_number)
    if asked and any(_same_number(asked, number) for number in numbers):
        return True
    if domain and found.email.lower().endswith("@" + domain.lower()):
        return True
    return bool(name) and normal_name(name) == normal_name(found.legal_name)


def _same_number(one: str, other: str) -> bool:
    """A VAT id with its country's letters and the same without them are one number."""
    short, long = sorted((one, other), key=len)
    return one == other or (long[:2].isalpha() and long[2:] == short)


def plain_number(number: str) -> str:
    """A tax number without blanks and punctuation."""
    return re.sub(r"[^A-Z0-9]", "", number.upper())


def normal_name(name: str) -> str:
    """A firm's name without case, accents, punctuation and legal form."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return " ".join(word for word in re.split(r"[^a-z0-9]+", plain) if word and word not in _FORMS)


def _words(name: str) -> list[str]:
    """The name's telling words as patterns: a letter with an accent stands for any letter."""
    words = [word for word in re.split(r"[\W_]+", name.lower()) if word and word not in _FORMS]
    longest = sorted(words, key=len, reverse=True)[:3]
    return ["".join(letter if letter.isascii() else "_" for letter in word) for word in longest]


def _columns(names: str, fields: msgspec.Struct) -> list[str]:
    own = [str(field).lower() for field in msgspec.structs.astuple(fields) if field]
    return list(dict.fromkeys([*names.split(), *own]))


def _after(place: Place | None) -> list[str]:
    """Strictly after a place. The text is compared, for the column may be finer than the second we keep."""
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


def place_at(instant: dt.datetime, ident: int = 0) -> Place:
    """Just after a record that changed at an instant; without one, just before all that changed then."""
    return Place(instant.astimezone(dt.UTC).replace(tzinfo=None).isoformat(" ", "seconds"), ident)
