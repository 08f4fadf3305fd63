"""Every API, event and connector has somebody who answers for it."""

import re
from pathlib import Path

from contracts.events import kinds
from deploy.composition.lifecycle import read_lifecycles
from deploy.settings import DEMO_CONFIG
from system_apis.app import read_profiles

EVENTS = Path(__file__).parents[2] / "docs/reference/events.md"
ROW = re.compile(r"^\| `([a-z0-9_.]+)` \| .+ \| (.+) \| (.+) \|$", re.MULTILINE)


def test_every_event_has_a_publisher_and_its_owner() -> None:
    """The reference names each type that there is, and whoever owns the API that publishes it."""
    rows = ROW.findall(EVENTS.read_text(encoding="utf-8"))
    types = {value for value in vars(kinds).values() if isinstance(value, str) and value.endswith(".v1")}
    assert sorted(name for name, _, _ in rows) == sorted(types)
    owners = {slug: lifecycle.owner for slug, lifecycle in read_lifecycles().items()}
    for name, publishers, owner in rows:
        assert {owners[slug] for slug in publishers.split(", ")} == {owner}, name


def test_every_connector_of_the_story_has_an_owner() -> None:
    """A profile says who answers for the account."""
    assert [
        profile.name for _, profile in read_profiles(DEMO_CONFIG / "instances") if not profile.owner
    ] == []
