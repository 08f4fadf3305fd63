"""The API of the instances: what their profiles say of them, to whom it concerns."""

from typing import Any, cast

import pytest

from contracts.system.instance import InstanceFacts
from kit import context
from kit.context import Caller, Context
from process_apis.flows.instances.service import InstanceDirectoryService
from process_apis.systems import Systems

FACTS = {
    "psa-1": InstanceFacts("psa-1", "toy", "test", ("psa",)),
    "erp-1": InstanceFacts(
        "erp-1", "toy", "test", ("erp",), "eu", ("billing_schedule",), "GBP", "Europe/London"
    ),
}


@pytest.mark.parametrize(
    ("claims", "names"),
    [
        ({}, ["erp-1", "psa-1"]),
        ({"instance": "psa-1"}, ["psa-1"]),
        ({"instance": ["psa-1", "erp-1"]}, ["erp-1", "psa-1"]),
        ({"instance": "erp-1", "customer": "globex"}, []),
        ({"entities": ["NB-UK"]}, []),
    ],
)
async def test_instances_are_listed_with_their_facts(claims: dict[str, Any], names: list[str]) -> None:
    """By name, and to who is bound to instances only these."""
    service = InstanceDirectoryService(Systems({}, cast("Any", None), facts=FACTS))
    with context.use(Context("cor_1", caller=Caller("olga", "operations", claims=claims))):
        listed = (await service.list_instances()).items
    assert listed == tuple(FACTS[name] for name in names)
