"""What the fault tests share: a deployment whose door stays open while its workers die."""

from collections.abc import AsyncIterator

import pytest

from tests.support.deployments import MakeDeployment, make_deployment
from tests.support.stack import Stack

__all__ = ["make_deployment"]


@pytest.fixture(scope="package")
async def door(make_deployment: MakeDeployment) -> AsyncIterator[Stack]:
    """A deployment with its role `api` running; each test starts and kills its own workers."""
    async with make_deployment("faults") as stack:
        await stack.start("door", role="api")
        yield stack
