"""tests/contracts: ids that are made of other ids."""

import msgspec
from hypothesis import example, given
from hypothesis import strategies as st

from contracts.canonical.values import Id, Key, id_of, key_of, short_key
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


@given(st.text("abcdefghijk-XYZ", min_size=1, max_size=120), st.integers(16, 120))
def test_a_short_key_is_a_key(text: str, most: int) -> None:
    """It fits, is the same each time, and what fits already stays as it is."""
    key = f"k{text}"[:120]
    short = short_key(key, most)
    assert msgspec.convert(short, Key) == short
    assert len(short) <= most
    assert short_key(short, most) == short
    assert (short == key) is (len(key) <= most)


def test_short_keys_of_different_keys_differ() -> None:
    """Also without regard to case; a key has the short one that it always had."""
    keys = [key_of("con", CRM_INSTANCE, f"006{number:015}", "r1") for number in range(10_000)]
    assert len({short_key(key, 20).casefold() for key in keys}) == len(keys)
    assert short_key("enf-cus-crm-main-0061-NB-UK", 20) == "ENFRZAMMYFAXNGVTVQFB"
