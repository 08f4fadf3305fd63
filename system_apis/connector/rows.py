"""system_apis: a row of a vendor's query as the record that it is of, without what is in no column. Pure."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


def record_of(shape: type[T], row: Mapping[str, Any], value: Callable[[str, Any], Any]) -> T:
    """The record; columns have the fields' names in any case, `value` converts one of a column's name.

    Raises msgspec.ValidationError where the row lacks what the record must have.
    """
    names = {name.lower(): name for name in shape.__struct_encode_fields__}
    columns = {name.lower(): column for name, column in row.items()}
    known = {names[name]: value(name, column) for name, column in columns.items() if name in names}
    return msgspec.convert(known, shape)
