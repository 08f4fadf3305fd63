"""tests/deploy: the reference page of the settings is what the code takes."""

import msgspec

from deploy.composition.settings_page import FILES, PAGE, heading_of, page, sections
from gateway.pipeline import GatewaySettings


def test_the_page_is_current() -> None:
    """It is what `.venv/bin/python -m deploy.composition.settings_page` writes now."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_page_has_every_section_and_setting() -> None:
    """Each table of each file stands there with all of its settings."""
    written = page()
    for kind in FILES.values():
        for place, struct in sections(kind):
            assert f"### {heading_of(place)}\n" in written
            for field in msgspec.structs.fields(struct):
                assert f"| `{field.encode_name}` | " in written
    places = {place for place, _ in sections(GatewaySettings)}
    assert {"wire", "cors", "source_limit", "answer", "hop", "hop.streams", "identity.issuers[]"} <= places
