"""tests/kit: who a caller is."""

from typing import Any

import pytest

from kit.context import Caller

ONE: dict[str, Any] = {"entities": ["NB-US", "NB-UK"], "instance": "main", "customer": None}


def _principal(**claims: Any) -> str:
    return Caller("fiona", "finance-desk", claims=claims).principal


@pytest.mark.parametrize(
    "claims",
    [
        {**ONE, "entities": ["NB-UK", "NB-US"]},
        {**ONE, "entities": ("NB-UK", "NB-US")},
        dict(reversed(ONE.items())),
        {**ONE, "department": ["a", "b"]},
    ],
    ids=str,
)
def test_a_principal_does_not_depend_on_the_order_of_its_claims(claims: dict[str, Any]) -> None:
    """An issuer that lists the same rows in another order names the same principal."""
    assert _principal(**claims) == _principal(**ONE)


@pytest.mark.parametrize(
    "claims", [{**ONE, "entities": ["NB-US"]}, {**ONE, "entities": []}, {**ONE, "instance": "b"}], ids=str
)
def test_other_rows_are_another_principal(claims: dict[str, Any]) -> None:
    """A key that was used for some rows does not answer for others."""
    assert _principal(**claims) != _principal(**ONE)
