"""tests/gateway: the same request twice."""

import asyncio
import json

from contracts.problems import Conflict, Unavailable
from kit.database import Database
from tests.gateway.deployment import ORDER, Deployment, problem


async def test_the_same_key_and_body_answer_the_same_and_start_nothing(kept: Deployment):
    """A repetition gets the stored answer, whatever the layout of its JSON."""
    first = await kept.place("replay-0001")
    again = await kept.place("replay-0001", content=json.dumps(ORDER, indent=3), json=None)
    assert again.status_code == 415
    headers = {"Idempotency-Key": "replay-0001", "Content-Type": "application/json"}
    again = await kept.call(
        "POST", "/experience/shop/v1/orders", headers=headers, content=json.dumps(ORDER, indent=3)
    )
    assert (first.status_code, again.status_code) == (202, 202)
    assert first.content == again.content
    assert (first.headers["etag"], again.headers["etag"]) == ('"1"', '"1"')
    assert (again.headers["idempotency-replayed"], kept.tier.count) == ("?1", 1)
    assert first.headers["correlation-id"] != again.headers["correlation-id"]


async def test_the_same_key_with_another_body_is_422(kept: Deployment):
    """A key belongs to one request."""
    await kept.place("reuse-0001")
    answer = await kept.place("reuse-0001", json={**ORDER, "customer": "globex"})
    problem(answer, 422, "idempotency_key_reused")


async def test_a_key_whose_first_request_still_runs_is_409(kept: Deployment):
    """Whoever asks while the first is at work is told to come again."""
    kept.tier.gate = asyncio.Event()
    first = asyncio.create_task(kept.place("running-0001"))
    await kept.tier.entered.wait()
    answer = await kept.place("running-0001")
    problem(answer, 409, "still_running")
    assert answer.headers["retry-after"] == "1"
    kept.tier.gate.set()
    assert (await first).status_code == 202


async def test_a_business_refusal_is_kept(kept: Deployment):
    """The same refusal is given again, without asking the tier."""
    kept.tier.fail = Conflict("Not now")
    first = await kept.place("refused-0001")
    kept.tier.fail = None
    problem(first, 409, "conflict")
    problem_again = await kept.place("refused-0001")
    assert (problem_again.status_code, problem_again.json()["code"]) == (409, "conflict")


async def test_a_failure_of_ours_is_not_kept(kept: Deployment):
    """After a 5xx the same key may be sent again, and then works."""
    kept.tier.fail = Unavailable(retry_after=1)
    problem(await kept.place("failed-0001"), 503, "unavailable")
    kept.tier.fail = None
    assert (await kept.place("failed-0001")).status_code == 202


async def test_refusals_before_the_hop_are_not_kept(kept: Deployment):
    """A request that was against the contract may be corrected under the same key."""
    problem(await kept.place("corrected-0001", json={**ORDER, "colour": 1}), 422, "invalid")
    assert (await kept.place("corrected-0001")).status_code == 202


async def test_a_key_belongs_to_its_consumer(kept: Deployment):
    """Two consumers with the same key do not meet."""
    await kept.place("mine-0001", "ci")
    await kept.place("mine-0001", "screen")
    assert kept.tier.count == 2


async def test_a_caller_that_goes_away_leaves_no_key_behind(kept: Deployment):
    """A cancelled request releases its key."""
    kept.tier.gate = asyncio.Event()
    first = asyncio.create_task(kept.place("leaving-0001"))
    await kept.tier.entered.wait()
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    kept.tier.gate = None
    assert (await kept.place("leaving-0001")).status_code == 202


async def test_without_the_database_a_start_is_503_and_starts_nothing(keys_folder, tmp_path):
    """A promise that cannot be kept is not given."""
    nowhere = Database(f"postgresql+psycopg://nobody@/none?host={tmp_path}")
    deployment = Deployment(keys_folder, database=nowhere)
    answer = await deployment.place("nowhere-0001")
    problem(answer, 503, "unavailable")
    assert (answer.headers["retry-after"], deployment.tier.count) == ("1", 0)
    assert (await deployment.call("GET", "/experience/shop/v1/orders/o-1")).status_code == 200
    await nowhere.close()
