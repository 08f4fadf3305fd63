"""tests/kit: what a claim binds its caller to, read alike by the gateway and by every tier."""

from contextlib import nullcontext
from typing import Any

import pytest

from contracts.operation import RowRule
from contracts.problems import Forbidden
from contracts.rows import names_of
from gateway.policies.authorisation import _row_check
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
        (True, ()),
        ([True, 42], ("42",)),
        (10**4200, ()),
    ],
)
def test_a_claim_that_is_there_binds(claim: Any, names: tuple[str, ...]) -> None:
    """One without a name binds to nothing, and its caller sees no row; only an absent one leaves unbound."""
    assert names_of({"entities": claim}, "entities") == names
    assert names_of({}, "entities") is None
    caller = Caller("ann", "desk", claims={"entities": claim})
    with context.use(Context("cor_1", caller=caller)):
        assert bounds() == {"entity": names}


@pytest.mark.parametrize("claim", ["42", 42, ["42"], [42]])
@pytest.mark.parametrize(
    ("given", "allowed"), [("42", True), (42, True), (True, False), (None, False), (4.2, False)]
)
def test_a_request_is_read_as_its_claim_is(claim: Any, given: Any, allowed: bool) -> None:
    """A whole number and its digits name one row, whichever of the two the token and the request have."""
    rule = RowRule("body", "customer", "customer")
    check = _row_check((rule,))
    caller = Caller("ann", "desk", claims={"customer": claim})
    with nullcontext() if allowed else pytest.raises(Forbidden):
        check(caller, {}, {}, {"customer": given})
