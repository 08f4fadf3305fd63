"""What the view answers when it is called through the gateway, and that it can be rebuilt."""

from typing import Any

from process_apis.views.approvals import VIEW
from tests.guides.trying import Trial, approve, until


async def test_an_approval_is_shown_and_rebuilt(trial: Trial) -> None:
    """The view has what the events tell; rebuilt, it has the same."""
    await approve(trial.database, "cus_1", "Acme Ltd", "NB-US")
    await approve(trial.database, "cus_2", "Bolt Ltd", "NB-US")

    async def look() -> Any:
        path = "/process/approvals/v1/approvals?entity=NB-US"
        items = (await trial.call("GET", path)).json()["items"]
        return items if len(items) == 2 else None

    live = await until("both approvals are shown", look)
    assert [row["legal_name"] for row in live] == ["Acme Ltd", "Bolt Ltd"]
    one = await trial.call("GET", "/process/approvals/v1/approvals/cus_2")
    assert (one.status_code, one.json()) == (200, live[1])
    async with trial.database.begin() as connection:
        assert await VIEW.rebuild(connection)
    assert await look() == live
