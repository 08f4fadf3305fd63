"""What the flow does when it is called through the gateway."""

import httpx

from tests.guides.trying import Trial, until


async def test_a_review_is_started_judged_and_read(trial: Trial) -> None:
    """The same request twice is one run; another amount under its reference is refused."""
    request = {"customer_id": "cus_1", "reference": "q4", "amount": {"amount": "60000", "currency": "GBP"}}

    async def start(body: object, key: str) -> httpx.Response:
        path = "/process/credit-review/v1/reviews"
        return await trial.call("POST", path, json=body, headers={"Idempotency-Key": key})

    first, again = await start(request, "key-00000001"), await start(request, "key-00000002")
    assert (first.status_code, again.status_code) == (202, 202), first.text
    assert first.json()["id"] == again.json()["id"]

    async def look() -> dict[str, object] | None:
        answer = (await trial.call("GET", f"/process/credit-review/v1/reviews/{first.json()['id']}")).json()
        return answer if answer["status"] == "done" else None

    review = await until("the review is judged", look)
    assert (review["granted"], review["reason"]) == (False, "The amount is above 50,000 GBP.")
    other = await start({**request, "amount": {"amount": "1", "currency": "GBP"}}, "key-00000003")
    assert (other.status_code, other.json()["code"]) == (409, "conflict")
