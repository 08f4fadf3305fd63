"""tests/contracts: ids that are made of other ids."""

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.canonical.values import Id, id_of
from tests.support.instances import CRM_INSTANCE

TEXT = st.text(max_size=120)


@given(st.lists(TEXT, min_size=1, max_size=3))
@example([CRM_INSTANCE, "006x", "r1"])
@example([CRM_INSTANCE, "001x", "NB & UK"])
@example(["a" * 120])
def test_whatever_it_is_made_of_it_is_an_id(parts: list[str]) -> None:
    """Every joined id fits the contract, with room for an id that is made of it."""
    made = id_of("creq", *parts)
    assert msgspec.convert(made, Id) == made
    assert len(f"exc_{made}_99999999") <= 120


def test_what_is_plain_is_read_as_it_is() -> None:
    """People recognise the instance and the vendor's id."""
    assert id_of("act", CRM_INSTANCE, "006x", "r1") == f"act_{CRM_INSTANCE}.006x.r1"
