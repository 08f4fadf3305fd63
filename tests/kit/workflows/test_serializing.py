"""tests/kit/workflows: what the engine keeps is JSON that comes back as it was."""

import datetime as dt
import pickle
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from contracts.canonical.values import Money
from contracts.problems import Fault, Problem, VendorFault, catalogue
from kit.workflows.attempts import Attempt
from kit.workflows.run import Order
from kit.workflows.serializing import JsonSerializer, StoredError

KEEPS = JsonSerializer()


@pytest.mark.parametrize("kind", catalogue().values(), ids=lambda kind: kind.__name__)
def test_every_problem_comes_back_as_itself(kind: type[Problem]) -> None:
    """A kept problem has its class, sentence, faults, wait and extras: an except clause still matches."""
    more: dict[str, Any] = (
        {"instance": "erp-1", "vendor_request_id": "r-1"} if issubclass(kind, VendorFault) else {}
    )
    faults = (Fault("/a", "is missing", code="required", field="a", fixed_by="sales"),)
    problem = kind("what happened", errors=faults, retry_after=2.5, extra={"wait_out": 3}, **more)
    found = KEEPS.deserialize(KEEPS.serialize(problem))
    assert type(found) is kind
    assert (found.detail, found.errors, found.retry_after) == ("what happened", faults, 2.5)
    assert found.extra == problem.extra
    for name, value in more.items():
        assert getattr(found, name) == value


def test_a_foreign_exception_keeps_its_kind_and_words() -> None:
    """An exception of a library, even one that pickle cannot bring back, is told as what it was."""

    class OddError(Exception):
        def __init__(self, a: int, b: int) -> None:
            super().__init__(f"{a} and {b}")

    with pytest.raises((TypeError, AttributeError)):
        pickle.loads(pickle.dumps(OddError(1, 2)))  # noqa: S301 - shows why we do not use it
    found = KEEPS.deserialize(KEEPS.serialize(OddError(1, 2)))
    assert isinstance(found, StoredError)
    assert (found.kind, found.words) == ("OddError", "1 and 2")


def test_an_order_and_an_attempt_come_back() -> None:
    """What the engine keeps of ours survives its own way through JSON."""
    order = Order("r", 1, {"a": [1, "b", None]}, {"c": "d"}, "cor", "sub", "bob")
    inputs = {"args": (msgspec.to_builtins(order),), "kwargs": {}}
    kept = KEEPS.deserialize(KEEPS.serialize(inputs))
    assert msgspec.convert(kept["args"][0], Order) == order
    attempt = Attempt(at=1.5, draw=0.5, result={"x": "1"})
    assert (
        msgspec.convert(KEEPS.deserialize(KEEPS.serialize(msgspec.to_builtins(attempt))), Attempt) == attempt
    )


class Result(msgspec.Struct):
    money: Money
    at: dt.datetime
    day: dt.date
    by_number: dict[int, Decimal]
    raw: bytes


def test_a_result_comes_back_with_its_types() -> None:
    """A step's result of decimals, instants, dates, numbered keys and bytes is the same after it was kept."""
    result = Result(
        Money(Decimal("10.50"), "EUR"),
        dt.datetime(2026, 1, 1, tzinfo=dt.UTC),
        dt.date(2026, 1, 1),
        {1: Decimal("0.1")},
        b"\x00\xff",
    )
    kept = KEEPS.deserialize(KEEPS.serialize(msgspec.to_builtins(result, str_keys=True)))
    assert msgspec.convert(kept, Result, str_keys=True) == result
