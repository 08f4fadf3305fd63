"""tests/conformance: what may be wrong in a noun that an adapter gives or is given."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from tests.conformance.mutants import Mutant

Change = Callable[[Any, Any, Any, Any], Any]


def edited(value: Any, path: list[str], change: Callable[[Any, Any, Any], Any]) -> Any:
    """A noun with a field changed, at the end of a path that leads through lists too."""
    if isinstance(value, tuple):
        return tuple(edited(each, path, change) for each in value)
    if not isinstance(value, msgspec.Struct):
        return value
    name, *rest = path
    info = next(field for field in msgspec.structs.fields(type(value)) if field.name == name)
    now = getattr(value, name)
    return msgspec.structs.replace(
        value, **{name: edited(now, rest, change) if rest else change(now, _default(info), info.type)}
    )


def _default(info: Any) -> Any:
    if info.default is not msgspec.NODEFAULT:
        return info.default
    return info.default_factory() if info.default_factory is not msgspec.NODEFAULT else ""


def _shifted(now: Any, hours: float) -> Any:
    if isinstance(now, dt.datetime):
        return now + dt.timedelta(hours=hours)
    return now + dt.timedelta(days=hours) if isinstance(now, dt.date) else now


def _converted(value: Any, kind: Any) -> Any:
    return msgspec.convert(value, kind, strict=False)


def _invented(now: Any, default: Any, kind: Any, value: Any) -> Any:
    return _converted(value, kind) if now == default else now


BREAKS: dict[str, Change] = {
    "drop": lambda _, default, __, ___: default,
    "set": lambda _, __, kind, value: _converted(value, kind),
    "invent": _invented,
    "shift": lambda now, _, __, value: _shifted(now, value),
    "float": lambda now, _, __, ___: now if now is None else Decimal(float(now)),
    "round": lambda now, _, __, value: now if now is None else now.quantize(Decimal(value)),
    "add": lambda now, _, __, value: now + value,
    "first": lambda now, _, __, ___: now[:1],
    "rest": lambda now, _, __, ___: now[1:],
    "reverse": lambda now, _, __, ___: now[::-1],
    "cut": lambda now, _, __, value: now[:value],
    "upper": lambda now, _, __, ___: now.upper(),
    "ascii": lambda now, _, __, ___: now.encode("ascii", "replace").decode(),
}


def broken(noun: Any, mutant: Mutant) -> Any:
    """The noun, its field broken."""
    change = BREAKS[mutant.breaks.removeprefix("body-")]
    return edited(
        noun, mutant.field.split("."), lambda now, default, kind: change(now, default, kind, mutant.value)
    )
