"""tests/bench: what is compared does the same job and gives the same answer."""

import dataclasses

import pytest

from bench import hops, policies, throughput
from bench.stage import Contender, Stage
from gateway.pipeline import ORDER

# One worker starts the servers, and all look at them.
pytestmark = pytest.mark.xdist_group("bench")


async def test_the_read_is_one_answer(readers: dict[str, Contender]) -> None:
    """Bare, through the house and behind Envoy, the read is answered with the same bytes."""
    answers = {name: await throughput.ask(reader) for name, reader in readers.items()}
    assert set(answers) == {"bare", "house", "envoy"}
    assert {answer.status_code for answer in answers.values()} == {200}
    assert len({answer.content for answer in answers.values()}) == 1
    assert len(answers["bare"].content) > 500


@pytest.mark.parametrize("name", ["house", "envoy"])
async def test_both_doors_are_closed(readers: dict[str, Contender], name: str) -> None:
    """Without a token, and with one that was tampered with, both doors answer 401."""
    for headers in ({}, {"Authorization": readers[name].headers["Authorization"][:-8] + "AAAAAAAA"}):
        answer = await throughput.ask(dataclasses.replace(readers[name], headers=headers))
        assert answer.status_code == 401


async def test_both_doors_count(readers: dict[str, Contender]) -> None:
    """Both doors tell the consumer what is left of its limit."""
    house, envoy = [await throughput.ask(readers[name]) for name in ("house", "envoy")]
    assert '"burst";r=' in house.headers["ratelimit"]
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
    some = [readers["bare"], readers["house"]]
    found = await throughput.measure(some, rounds=2, seconds=0.2, tell=told.append)
    assert list(found) == ["bare", "house"]
    assert all(rate > 0 for rates in found.values() for rate in rates.rounds)
    assert [line.rpartition(" ")[2] for line in told] == ["bare", "house", "bare", "house"]


async def test_what_fails_is_not_measured(readers: dict[str, Contender]) -> None:
    """A server that refuses ends the run with its answer instead of counting as quick."""
    nobody = dataclasses.replace(readers["house"], headers={})
    with pytest.raises(RuntimeError, match="house answers 401"):
        await throughput.measure([nobody], rounds=1, seconds=0.1, tell=lambda _: None)


async def test_hops(stage: Stage) -> None:
    """All three carriers give the same record, and a remote hop costs many local ones."""
    found = await hops.measure(stage, local_calls=2000, remote_calls=20)
    assert found.plain > 0
    assert found.times_cheaper > 20


async def test_policies(stage: Stage) -> None:
    """Every policy of the pipeline is told of, in its order; the idempotency key costs a read nothing."""
    found = {cost.policy: cost for cost in await policies.measure(stage, calls=20)}
    assert list(found) == [*ORDER, "(the floors)", "(all together)"]
    assert found["idempotency_key"].read == 0 < found["idempotency_key"].write
    assert 0 < found["(the floors)"].read < found["(all together)"].read
