"""tests/kit/workflows: what a run does while the database refuses its writes: it waits, and goes on."""

import pytest

from kit.workflows import WorkflowSettings
from tests.kit.workflows.conftest import Workbench
from tests.kit.workflows.story import STEPS
from tests.support.refusing import refusing

IMPATIENT = WorkflowSettings(
    patience=0, first_wait=0.01, longest_wait=0.02, liveness=0.2, sweep=0.2, queue_poll=0.02, drain=5
)


@pytest.mark.parametrize(
    ("table", "state"),
    [
        ("enfilade.ledger", "53100"),
        ("enfilade.ledger", "25006"),
        ("enfilade.steps", "53100"),
        ("dbos.operation_outputs", "53100"),
        ("dbos.operation_outputs", "25006"),
    ],
)
async def test_a_run_waits_for_a_database_that_refuses(deployment: Workbench, table: str, state: str) -> None:
    """Whichever row has no space, the run has not failed: it ends well, and everything was made once."""
    refused = refusing(deployment.database, table, state, times=1)
    async with refused, deployment.worker(settings=IMPATIENT):
        await deployment.start()
        await deployment.until("done")
    made = await deployment.vendor.live()
    assert len(made) == len(set(made)) == len(STEPS)
