"""Whatever the vendor: it lacks only what is optional, and whoever lacks it conforms without."""

import pytest

from contracts.operation import Feature
from kit.operations import api_of
from sandbox.core.golden import Form
from system_apis.app import interface_of
from tests.conformance.conftest import ConnectorUnderTest, every_connector
from tests.conformance.features import PARTS, needs
from tests.conformance.nouns import NOUNS
from tests.conformance.records import Ids, make

here = pytest.mark.parametrize("connector", every_connector("local"), indirect=True)


def optional(connector: ConnectorUnderTest) -> tuple[Feature, ...]:
    """The features that an instance of this capability may lack."""
    return api_of(interface_of(connector.capability)).features


@here
async def test_only_what_is_optional_is_lacking(connector: ConnectorUnderTest) -> None:
    """What the capability demands is there; nothing optional is missing without being declared."""
    declared, vendor = connector.instance.connector, connector.vendor
    features = {each for name in declared.capabilities for each in api_of(interface_of(name)).features}
    demanded = [feature.name for feature in declared.lacks - features]
    assert not demanded, f"{vendor} lacks what is demanded: {', '.join(demanded)}"
    for part in PARTS:
        forms = connector.golden.nouns.get(part.noun)
        if forms and part.reads in forms.lacks and part.noun in NOUNS[connector.capability]:
            assert part.feature.name in connector.lacks, f"{vendor}: declare {part.reads} as lacking"


@here
async def test_an_instance_that_lacks_a_feature_does_without(connector: ConnectorUnderTest) -> None:
    """It is given nothing of it, reads back nothing of it, and what needs it is skipped by name."""
    for part in PARTS:
        if part.feature not in optional(connector):
            continue
        instance = await connector.opened({"lacks": [part.feature.name]})
        assert part.feature.name in instance.connector.facts(instance.profile).lacks
        api, noun = await connector.carry(instance), NOUNS[connector.capability][part.noun]
        forms = connector.golden.nouns[part.noun]
        ids: Ids = await make(connector, Form(forms.owners, {}, forms.empty.at))
        assert noun.put is not None
        made = await noun.put(api, ids)
        assert not getattr(made, part.reads or "unmapped")
        with pytest.raises(pytest.skip.Exception, match=part.feature.without):
            needs((part.feature.name,), part.feature)
