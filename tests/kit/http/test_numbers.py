"""tests/kit/http: numbers that a vendor's answer states, whatever it writes there."""

from typing import Any

import pytest

from kit.http.auth import lifetime
from kit.http.call import retry_after

NEVER = (None, -1, "", "soon", "²", "nan", float("nan"), [], "-inf")


@pytest.mark.parametrize("expires_in", [*NEVER, 10**400])
def test_a_lifetime_that_is_no_number_is_not_stated(expires_in: Any) -> None:
    """What we know of the vendor's tokens holds then."""
    assert lifetime(expires_in, 600.0) == 600.0


@pytest.mark.parametrize(
    "value", ["", "soon", "²", "٣", "-1", "Mon, 99 Nov 2026 00:00:00 GMT", "nan", "1e400"]
)
def test_a_retry_after_that_cannot_be_read_is_none(value: str) -> None:
    """Then our own pauses hold."""
    assert retry_after({"Retry-After": value}) is None


@pytest.mark.parametrize("value", ["9" * 400, "9" * 5000, "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_no_answer_makes_us_rest_for_ever(value: str) -> None:
    """A rest is a week at most."""
    assert retry_after({"Retry-After": value}) == 7 * 86_400
