"""A vendor's id has one spelling before anything of ours is keyed by it, with no vendor asked."""

import pytest

from contracts.duties import Duties
from contracts.problems import NotFound
from contracts.routing import Routing
from contracts.system.crm import Crm
from process_apis.current_policy import CurrentPolicy
from process_apis.systems import Systems
from system_apis.app import connector_of

SHORT, LONG = "006dM00003kRs59", "006dM00003kRs59QAC"


def systems(**vendors: str) -> Systems:
    """Instances named after what they are, each with its vendor's knowledge of ids."""
    clients = {(name.replace("_", "-"), Crm): None for name in vendors}
    ids = {name.replace("_", "-"): connector_of(vendor).canonical_id for name, vendor in vendors.items()}
    return Systems(clients, CurrentPolicy(Routing(()), Duties({}, ())), ids)


@pytest.mark.parametrize(
    ("vendor", "kind", "given", "canonical"),
    [
        ("salesforce", "opportunity", SHORT, LONG),
        ("salesforce", "opportunity", LONG, LONG),
        ("salesforce", "customer", "001dM00003kRs59", "001dM00003kRs59QAC"),
        ("netsuite", "customer", "0000103", "103"),
        ("netsuite", "contract", "1001", "1001"),
        ("kantata", "project", "007", "7"),
    ],
)
def test_every_spelling_of_an_id_becomes_one(vendor: str, kind: str, given: str, canonical: str) -> None:
    """Fifteen characters or eighteen, with leading zeros or without."""
    assert systems(one=vendor).canonical_id("one", kind, given) == canonical


@pytest.mark.parametrize(
    ("vendor", "kind", "given"),
    [
        ("salesforce", "opportunity", LONG[:-1]),
        ("salesforce", "opportunity", LONG.lower()),
        ("salesforce", "opportunity", "006dM00003kRs59QAA"),
        ("salesforce", "opportunity", "001dM00003kRs59"),
        ("salesforce", "project", LONG),
        ("netsuite", "customer", "eid:enf-cus-1"),
        ("netsuite", "customer", "0"),
        ("netsuite", "customer", "١٢"),
        ("kantata", "project", "7abc"),
    ],
)
def test_what_can_be_no_id_of_the_vendor_is_refused_with_a_sentence(
    vendor: str, kind: str, given: str
) -> None:
    """A wrong length, check, case, kind or letter; the sentence names what was given."""
    with pytest.raises(NotFound, match=f"“{given}” is not the id of any {kind} in "):
        systems(one=vendor).canonical_id("one", kind, given)


def test_where_no_instance_is_named_each_spells_it_its_own_way() -> None:
    """An id that fits none is nobody's."""
    deployment = systems(crm_one="salesforce", crm_two="kantata")
    assert deployment.spellings(Crm, "opportunity", SHORT) == (LONG,)
    assert deployment.spellings(Crm, "opportunity", "nobody") == ()


def test_an_instance_that_is_not_configured_spells_nothing() -> None:
    """Whoever asks about it is told so where it is looked for."""
    assert systems(one="salesforce").canonical_id("two", "opportunity", SHORT) == SHORT
