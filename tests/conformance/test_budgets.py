"""Whatever the vendor: an operation makes no more calls than the stand allows it."""

import pytest

from tests.conformance.conftest import ConnectorUnderTest, every_connector
from tests.conformance.nouns import READS, WRITES
from tests.conformance.records import make_all

here = pytest.mark.parametrize("connector", every_connector("local"), indirect=True)


@here
async def test_an_operation_stays_within_its_calls(connector: ConnectorUnderTest) -> None:
    """Reads where all is known already; writes where nothing is there yet, and again."""
    ids = await make_all(connector)
    reads, writes = READS[connector.capability], WRITES[connector.capability]
    missing = {*reads, *writes} - connector.golden.budget.keys()
    assert not missing, f"the stand of {connector.vendor} allows no calls for {', '.join(sorted(missing))}"
    for act in reads.values():
        await act(connector.api, ids)  # logs in, and reads what is read once
    over: list[str] = []
    for operation, act in [*reads.items(), *writes.items(), *writes.items()]:
        await connector.account.clear_calls()
        await act(connector.api, ids)
        made = (await connector.account.count_calls())["count"]
        if made > connector.golden.budget[operation]:
            over.append(f"{operation} made {made} calls, {connector.golden.budget[operation]} are allowed")
    assert not over, "; ".join(over)
