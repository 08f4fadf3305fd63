"""system_apis: a row of SuiteQL as the record that it is of, without what is in no column of it. Pure."""

import datetime as dt
from typing import Any, TypeVar

import msgspec

from system_apis.vendors.netsuite.records import Row

T = TypeVar("T", bound=msgspec.Struct)

_REFERENCES = frozenset(
    ("entity", "subsidiary", "currency", "terms", "parent", "entitystatus", "creditholdoverride")
)


def record_of(shape: type[T], row: Row, changed: dt.datetime, **more: Any) -> T:
    """The record, last changed at an instant; `more` are columns that other queries brought.

    Raises msgspec.ValidationError where the row lacks what the record must have.
    """
    names = {name.lower(): name for name in shape.__struct_encode_fields__}
    known = {names[name]: _value(name, value) for name, value in (row | more).items() if name in names}
    return msgspec.convert({**known, "lastModifiedDate": changed}, shape)


def _value(name: str, value: Any) -> Any:
    if name in _REFERENCES:
        return {"id": value}
    if name == "status":
        return {"id": str(value)[-1:]}  # as in SalesOrd:B
    return value == "T" if name == "isinactive" else value
