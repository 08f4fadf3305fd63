"""tests/kit: what a claim binds its caller to, read alike by the gateway and by every tier."""

from typing import Any

import pytest

from contracts.rows import names_of
from kit import context
from kit.context import Caller, Context
from kit.database.rows import bounds


@pytest.mark.parametrize(
    ("claim", "names"),
    [
        ("NB-US", ("NB-US",)),
        (["NB-US", "NB-UK"], ("NB-US", "NB-UK")),
        (42, ("42",)),
        (None, ()),
        ("", ()),
        ([], ()),
        ([None, "", "NB-US"], ("NB-US",)),
        ({"NB-US": True}, ()),
        (1.5, ()),
    ],
)
def test_a_claim_that_is_there_binds(claim: Any, names: tuple[str, ...]) -> None:
    """One without a name binds to nothing, and its caller sees no row; only an absent one leaves unbound."""
    assert names_of({"entities": claim}, "entities") == names
    assert names_of({}, "entities") is None
    caller = Caller("ann", "desk", claims={"entities": claim})
    with context.use(Context("cor_1", caller=caller)):
        assert bounds() == {"entity": names}
