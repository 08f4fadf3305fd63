"""tests/bench: what is compared does the same job and gives the same answer."""

import dataclasses

import pytest

from bench import hanging, scaling, throughput
from bench.contender import Contender
from bench.rivals import node
from bench.stage import Stage

# One worker starts the servers of all contenders, for all tests.
pytestmark = [pytest.mark.whole, pytest.mark.xdist_group("bench")]


async def test_the_read_is_one_answer(readers: dict[str, Contender]) -> None:
    """Bare, through the deployment and behind Envoy, the read is answered with the same bytes."""
    assert {"bare", "gateway", "envoy"} <= set(readers)
    await throughput.check_same(list(readers.values()))
    answer = await throughput.ask(readers["bare"])
    assert answer.status_code == 200
    assert len(answer.content) > 500


async def test_another_answer_is_not_compared(readers: dict[str, Contender]) -> None:
    """What does not give the same answer ends the run."""
    other = dataclasses.replace(readers["bare"], name="other", path="/nothing")
    with pytest.raises(RuntimeError, match="other: not the answer of bare"):
        await throughput.check_same([readers["bare"], other])


def test_node_is_there_where_its_packages_are(readers: dict[str, Contender]) -> None:
    """The Fastify proxy is among the contenders once its packages were fetched."""
    if not node.installed():
        pytest.skip("the Fastify proxy's packages were not fetched: `python -m bench read` does")
    assert "node" in readers


@pytest.mark.parametrize("name", ["gateway", "envoy", "fastapi", "node"])
async def test_all_doors_are_closed(readers: dict[str, Contender], name: str) -> None:
    """Without a token, and with one that was tampered with, every gateway answers 401."""
    if name not in readers:
        pytest.skip(f"{name} is not installed")
    for headers in ({}, {"Authorization": readers[name].headers["Authorization"][:-8] + "AAAAAAAA"}):
        answer = await throughput.ask(dataclasses.replace(readers[name], headers=headers))
        assert answer.status_code == 401


async def test_both_doors_count(readers: dict[str, Contender]) -> None:
    """Both gateways tell the consumer what is left of its limit."""
    deployment, envoy = [await throughput.ask(readers[name]) for name in ("gateway", "envoy")]
    assert '"burst";r=' in deployment.headers["ratelimit"]
    assert int(envoy.headers["x-ratelimit-remaining"]) > 0


async def test_the_overview_is_one_answer(stage: Stage) -> None:
    """The real account overview and its bare SQL say the same of the same rows, whatever their age."""
    answers = [await throughput.ask(contender) for contender in await stage.overview()]
    assert [answer.status_code for answer in answers] == [200, 200]
    bare, real = [{**answer.json(), "age_seconds": None} for answer in answers]
    assert bare == real
    assert len(real["projects"]) == 3


async def test_rates(readers: dict[str, Contender]) -> None:
    """A short run finds a rate for each, in turns, and says which is being measured."""
    told: list[str] = []
    some = [readers["bare"], readers["gateway"]]
    found = await throughput.measure(some, rounds=2, seconds=0.2, progress=told.append)
    assert list(found) == ["bare", "gateway"]
    assert all(rate > 0 for rates in found.values() for rate in rates.rounds)
    assert [line.rpartition(" ")[2] for line in told] == ["bare", "gateway", "bare", "gateway"]


async def test_what_fails_is_not_measured(readers: dict[str, Contender]) -> None:
    """A server that refuses ends the run with its answer instead of counting as quick."""
    nobody = dataclasses.replace(readers["gateway"], headers={})
    with pytest.raises(RuntimeError, match="gateway answers 401"):
        await throughput.measure([nobody], rounds=1, seconds=0.1, progress=lambda _: None)


async def test_a_second_worker_is_measured(stage: Stage, readers: dict[str, Contender]) -> None:
    """Both deployments answer, and the ratio is by the clock."""
    deployments = readers["gateway"], await stage.deployment(workers=2)
    found = await scaling.measure(deployments, rounds=1, seconds=0.2, progress=lambda _: None)
    assert (found.one.name, found.two.name) == ("1 worker", "2 workers")
    assert found.ratio > 0


async def test_a_vendor_that_hangs_is_waited_for_in_vain(stage: Stage, readers: dict[str, Contender]) -> None:
    """The read is answered beside it, and whoever waits for it is given up at the deadline."""
    waiter = hanging.waiter_at(readers["gateway"], stage.folder)
    found = await hanging.measure(readers["gateway"], waiter, rounds=1, seconds=0.4, progress=lambda _: None)
    assert found.waited >= hanging.WAITERS
    assert found.ratio > 0
