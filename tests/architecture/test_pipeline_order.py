"""The order of the gateway's policies, in full: whoever changes it changes this test."""

from dataclasses import fields
from pathlib import Path

import gateway.policies
from gateway.pipeline import ORDER, AfterRoute, GatewaySettings

EXPECTED = (
    "account",
    "answer",
    "wire",
    "route",
    "cors",
    "source_limit",
    "identity",
    "authorisation",
    "subscription",
    "load_shedding",
    "rate_limit",
    "contract",
    "idempotency_key",
    "cache",
    "hop",
)


def test_the_order_is_the_one_that_was_agreed():
    """A request meets the policies in exactly this order."""
    assert ORDER == EXPECTED


def test_every_policy_has_its_place_and_every_place_its_policy():
    """No module of gateway/policies stands outside the pipeline, and no place is without a module."""
    folder = Path(gateway.policies.__file__).parent
    modules = {path.stem for path in folder.iterdir() if not path.stem.startswith("__")}
    assert modules == set(EXPECTED)


def test_every_configured_policy_is_in_the_settings_under_its_own_name():
    """The settings file speaks of the policies by the names of their modules."""
    assert {field.name for field in fields(AfterRoute)} - set(GatewaySettings.__struct_fields__) == {
        "authorisation",
        "subscription",
    }
    assert set(GatewaySettings.__struct_fields__) - set(EXPECTED) == {"pages", "plans", "security_txt"}
