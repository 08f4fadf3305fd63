"""tests/upgrade: what the tests of upgrades share."""

from tests.support.deployments import make_deployment

__all__ = ["make_deployment"]
