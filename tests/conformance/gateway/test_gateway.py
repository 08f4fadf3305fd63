"""tests/conformance/gateway: every case holds at our own gateway, and each is well-formed."""

import asyncio

import pytest

from gateway.pipeline import ORDER
from tests.conformance.gateway import case
from tests.conformance.gateway.running import Target, run

# One worker serves the gateway, and all cases ask it.
pytestmark = pytest.mark.xdist_group("gateway-conformance")


WITH_NONCES = [name for name in case.names() if "dpop-nonces" in case.read(name).needs]


@pytest.mark.parametrize("name", [name for name in case.names() if name not in WITH_NONCES])
async def test_a_case_holds(name: str, target: Target) -> None:
    """The truth that the case states holds at the gateway."""
    one = case.read(name)
    assert await asyncio.to_thread(run, one, target) == [], one.title


@pytest.mark.parametrize("name", WITH_NONCES)
async def test_a_case_with_nonces_holds(name: str, asking_for_nonces: Target) -> None:
    """The truth that the case states holds where the gateway asks for nonces."""
    one = case.read(name)
    assert await asyncio.to_thread(run, one, asking_for_nonces) == [], one.title


def test_every_case_states_its_truth() -> None:
    """A case has a sentence of its own, and lies in the folder of a policy or of the gateway itself."""
    titles = [case.read(name).title for name in case.names()]
    assert len(set(titles)) == len(titles)
    assert [title for title in titles if not title.endswith(".")] == []
    assert {name.partition("/")[0] for name in case.names()} <= {*ORDER, "endpoints"}
