"""What the Kantata stand-in lacks is refused, and its README says all of it."""

import re
from pathlib import Path

import pytest

from sandbox.kantata import parameters
from sandbox.kantata.catalogue import COLLECTIONS
from sandbox.kantata.listing import MOMENTS
from sandbox.kantata.not_imitated import ACTIONS, FIELDS
from sandbox.kantata.not_imitated import COLLECTIONS as LACKING

README = Path(__file__).parents[3] / "sandbox" / "kantata" / "README.md"


@pytest.mark.parametrize("kind", LACKING)
async def test_a_collection_that_is_lacking(api, kind):
    """It is 404, as any unknown path, and says why."""
    for name in LACKING[kind]:
        status, ((_, _, message),) = await api.refused("GET", f"/{name}.json")
        assert (status, message) == (404, f"Not found: {name} is not imitated by this stand-in")


async def test_a_field_or_an_action_that_is_lacking(api):
    """A field is 422 by its name on create and change, an action 404; nothing is saved."""
    for name in FIELDS["workspaces"]:
        body = {"workspace": {"title": "Never", name: True}}
        said = [("validation", name, "is not imitated by this stand-in")]
        assert await api.refused("POST", "/workspaces", body) == (422, said)
    assert await api.rows("/workspaces") == []
    made = await api.make("/workspaces", title="Plain")
    change = {"workspace": {"invoice_preference": {"purchase_order": "1"}}}
    assert (await api.refused("PUT", f"/workspaces/{made['id']}", change))[0] == 422
    field = {
        "custom_field": {"name": "X", "subject_type": "Workspace", "value_type": "string", "read_access": "x"}
    }
    assert (await api.refused("POST", "/custom_fields", field))[0] == 422
    for name in ACTIONS:
        assert (await api.refused("POST", f"/workspaces/{made['id']}/{name}", {}))[0] == 404


async def test_a_look_up_by_reference_without_its_service(api):
    """A filter that would have no effect is refused."""
    query = {"external_reference_service_model_refs": "OPP-1"}
    assert (await api.refused("GET", "/workspaces", **query))[0] == 400


def _section(title: str) -> str:
    return README.read_text().split(f"## {title}\n")[1].split("\n## ")[0].replace("\n  ", " ")


def _names(text: str) -> set[str]:
    return set(re.findall(r"`(\w+)`", text))


def test_the_readme_lists_what_is_lacking():
    """Collections, fields and actions, all of them and no others."""
    said = dict(re.findall(r"^\* ([^:\n]+): (.+)$", _section("What is not imitated"), re.MULTILINE))
    fields = {f"Fields of {key}": names for key, names in FIELDS.items()}
    expected = {**LACKING, **fields, "Actions": ACTIONS}
    assert {kind: _names(text) for kind, text in said.items()} == expected


def test_the_readme_lists_what_a_query_takes():
    """Associations, optional fields and filters of every collection, and the parameters of all."""
    opening, *rest = _section("Associations, optional fields and filters").split("\n### ")
    assert _names(opening) >= parameters.LISTED | set(MOMENTS) | parameters.BY_REFERENCE
    said = {
        each.split("\n", 1)[0]: dict(re.findall(r"^\* (\w+): (.+)$", each, re.MULTILINE)) for each in rest
    }
    assert set(said) == set(COLLECTIONS)
    for key, collection in COLLECTIONS.items():
        expected = {
            "include": parameters.associations(collection),
            "optional_fields": parameters.optional_fields(collection),
            "filters": parameters.own_filters(collection),
        }
        assert {what: _names(text) for what, text in said[key].items()} == {
            what: names for what, names in expected.items() if names
        }
