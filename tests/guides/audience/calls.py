"""What the audience sees when it calls through the gateway."""

from typing import Any

from tests.guides.trying import Trial, approve, until


async def test_the_desk_sees_a_customer_and_no_other_api(trial: Trial) -> None:
    """Its own consumer reads its screen, and is refused what it was not granted."""
    await approve(trial.database, "cus_3", "Clay SA", "NB-UK")

    async def look() -> Any:
        answer = await trial.call("GET", "/experience/account-desk/v1/accounts", "account-desk")
        assert answer.status_code == 200, answer.text
        return [row for row in answer.json()["rows"] if row["name"] == "Clay SA"]

    rows = await until("the customer is shown", look)
    assert rows == [
        {"name": "Clay SA", "status": "Customer", "links": [{"label": "crm-1", "id": "acc-cus_3"}]}
    ]
    other = await trial.call("GET", "/process/customers/v1/customers", "account-desk")
    assert (other.status_code, other.json()["code"]) == (403, "insufficient_scope")
