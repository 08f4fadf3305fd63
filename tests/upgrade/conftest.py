"""tests/upgrade: what the tests of upgrades share."""

from tests.support.houses import make_house

__all__ = ["make_house"]
