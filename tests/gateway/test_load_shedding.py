"""tests/gateway: who is refused first when too much is asked."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.ports import free_port
from gateway.pipeline import GatewaySettings
from gateway.plans import Limit, Plan
from gateway.policies.load_shedding import Load, LoadSheddingSettings
from tests.gateway import saturated
from tests.gateway.deployment import CONSUMERS, Deployment, problem
from tests.gateway.test_sockets import _await_port
from tests.support.processes import GRANIAN, running

ORDERS = "/experience/shop/v1/orders/o-1"
TIGHT = LoadSheddingSettings(max_in_flight=10, background=0.3, standard=0.6, critical=1.0, resume=0.5)
PATIENCE_SECONDS = 60
LANES = ("background", "standard", "critical")


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("in_flight", "taken"),
    [(2, LANES), (3, LANES[1:]), (5, LANES[1:]), (6, LANES[2:]), (9, LANES[2:]), (10, ())],
)
def test_lanes_are_shed_in_order_of_the_load(in_flight: int, taken: tuple[str, ...]):
    """Background first, critical last, each at its share of what the process bears."""
    load = Load(TIGHT, Clock())
    load.in_flight = in_flight
    assert tuple(lane for lane in LANES if load.takes(lane)) == taken


def test_a_lane_is_taken_again_only_when_the_load_has_fallen_well_below():
    """At the bound itself nothing flaps."""
    load = Load(TIGHT, Clock())
    load.in_flight = 6
    assert not load.takes("standard")
    load.in_flight = 4
    assert not load.takes("standard")
    load.in_flight = 2
    assert load.takes("standard")
    load.in_flight = 5
    assert load.takes("standard")


async def test_a_late_loop_counts_at_once_and_fades():
    """A tick that is overdue is load before it comes, and some ticks after."""
    clock = Clock()
    load = Load(LoadSheddingSettings(max_lag_seconds=1.0, background=0.3, standard=0.6), clock)
    load.watch()
    clock.now += 0.04
    assert load.takes("background")
    clock.now += 0.5
    assert not load.takes("background")
    assert load.takes("standard")
    load.tick()
    assert not load.takes("background")
    for _ in range(10):
        clock.now += 0.05
        load.tick()
    assert load.takes("background")


@given(st.lists(st.tuples(st.sampled_from(LANES), st.integers(0, 12)), max_size=60))
def test_a_lane_is_never_shed_while_a_lesser_one_with_the_same_past_is_taken(steps: list[tuple[str, int]]):
    """Asked at the same load, whoever is refused is not more important than whoever is let by."""
    load = Load(TIGHT, Clock())
    for _, in_flight in steps:
        load.in_flight = in_flight
        taken = [load.takes(lane) for lane in LANES]
        assert taken == sorted(taken)


async def test_a_shed_call_costs_nothing_and_says_when_to_come_again(keys_folder: Path):
    """503 with Retry-After and no token spent; health, catalogue and the gateway's own APIs go on."""
    settings = GatewaySettings(
        plans={"standard": Plan(limits=(Limit("burst", 100, 60),), lane="background")},
        load_shedding=msgspec.structs.replace(TIGHT, max_in_flight=1, background=0.9, standard=0.95),
    )
    consumers = {name: CONSUMERS[name] for name in ("ci", "platform")}
    deployment = Deployment(keys_folder, settings, consumers)
    deployment.tier.gate = asyncio.Event()
    waiting = asyncio.create_task(deployment.place("shed-0000001"))
    await deployment.tier.entered.wait()
    shed = await deployment.call("GET", ORDERS)
    found = problem(shed, 503, "overloaded")
    assert found["lane"] == "background"
    assert found["retryable"] is True
    assert 1 <= int(shed.headers["retry-after"]) <= 2
    assert "ratelimit" not in shed.headers
    assert (await deployment.http.get("/health/live")).status_code == 200
    assert (await deployment.http.get("/apis")).status_code == 200
    assert (await deployment.administer("GET", "/policy/in-force")).status_code == 200
    deployment.tier.gate.set()
    assert '"burst";r=99;' in (await waiting).headers["ratelimit"]
    assert (await deployment.call("GET", ORDERS)).status_code == 200


@pytest.fixture
def port(keys_folder: Path) -> Iterator[int]:
    """A server of one process, whose every read costs it time."""
    number = free_port()
    arguments = (*GRANIAN, "--port", str(number), "tests.gateway.saturated:app")
    with running(*arguments, environ={"ISSUER_FOLDER": str(keys_folder)}) as process:
        _await_port(number, process)
        yield number


async def test_under_saturation_jobs_are_shed_and_screens_are_answered(port: int, keys_folder: Path):
    """Forty clients of a job ask without end; every screen is answered, many of the jobs are not."""
    deployment = saturated.make(keys_folder)
    limits = httpx.Limits(max_connections=200)
    jobs: Counter[int] = Counter()
    done = asyncio.Event()
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", limits=limits, timeout=60) as http:

        async def ask(consumer: str) -> httpx.Response:
            headers = {"Host": "gateway.test", "Authorization": f"Bearer {deployment.token(consumer)}"}
            return await http.get(ORDERS, headers=headers)

        async def job() -> None:
            while not done.is_set():
                answer = await ask("job")
                jobs[answer.status_code] += 1
                if answer.status_code == 503:
                    problem(answer, 503, "overloaded")

        async def screen() -> None:
            while jobs[503] < 50 or sum(screens.values()) < 5:
                screens[(await ask("screen")).status_code] += 1
            done.set()

        screens: Counter[int] = Counter()
        async with asyncio.timeout(PATIENCE_SECONDS):
            await asyncio.gather(screen(), *(job() for _ in range(40)))
            health = (await http.get("/health/live", headers={"Host": "gateway.test"})).status_code
            while (await ask("job")).status_code != 200:
                pass
    assert set(screens) == {200}
    assert health == 200
    assert jobs[200] > 0
    assert set(jobs) == {200, 503}
