"""tests/contracts: the challenges of refusals."""

from pathlib import Path

import pytest

from contracts.problems import challenge

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("description", "sent"),
    [("Expired", "Expired"), ('a "b" \\ c', "a 'b' / c"), ("é“”\r\nX: y", "?????X: y")],
)
def test_what_a_challenge_says_stays_within_its_quotes(description: str, sent: str) -> None:
    """Nothing ends the quoted value, or the line (RFC 9110 §11.6.1, RFC 6750 §3)."""
    assert challenge("Bearer", error_description=description) == (
        f'Bearer realm="enfilade", error_description="{sent}"'
    )


def test_every_challenge_is_made_in_one_place() -> None:
    """No other source of the product writes a realm."""
    sources = (path for name in ("gateway", "kit", "contracts") for path in (ROOT / name).rglob("*.py"))
    assert [path.name for path in sources if "realm=" in path.read_text(encoding="utf-8")] == []
