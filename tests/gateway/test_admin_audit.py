"""tests/gateway: the admin APIs of audit, privacy and retention, through the internal pipeline."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from kit import audit
from kit.database import Database
from tests.gateway.deployment import Deployment, problem
from tests.support.databases import keyed

FIONA = "fiona.finance@example.com"
PETRA = "petra.platform"


class Desk:
    """A gateway with a database of its own, and Petra, who asks it."""

    def __init__(self, deployment: Deployment, database: Database) -> None:
        self.deployment = deployment
        self.database = database
        self._headers = {"Authorization": f"Bearer {deployment.issuer.mint('platform', subject=PETRA)}"}

    async def ask(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {**self._headers, **more.pop("headers", {})}
        return await self.deployment.administer(method, path, headers=headers, **more)

    async def read(self, path: str, **query: Any) -> Any:
        answer = await self.ask("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def note(self, subject: str, actor: str = FIONA) -> None:
        async with self.database.begin() as connection:
            await audit.write(
                connection,
                action="customer.approved",
                outcome="approved",
                actor=actor,
                consumer="finance-desk",
                subject=subject,
                correlation_id="cor_1",
                personal={"reason": "I know them"},
            )


@pytest.fixture
async def desk(keys_folder: Path, fresh_database_url: str) -> AsyncIterator[Desk]:
    database = keyed(fresh_database_url)
    deployment = Deployment(keys_folder, database=database)
    async with deployment.http, deployment.internal:
        yield Desk(deployment, database)
    await database.close()


async def test_lines_are_listed_newest_first_with_names_and_filters(desk: Desk):
    """Who may read the trail sees who it was; pages follow each other without a gap."""
    for n in range(5):
        await desk.note(f"cus_{n}", FIONA if n else "otto")
    found = await desk.read("/audit/lines", actor=FIONA, limit=3)
    assert [line["subject"] for line in found["items"]] == ["cus_4", "cus_3", "cus_2"]
    assert {line["person"] for line in found["items"]} == {FIONA}
    more = await desk.read("/audit/lines", actor=FIONA, limit=3, cursor=found["next_cursor"])
    assert [line["subject"] for line in more["items"]] == ["cus_1"]
    assert "next_cursor" not in more
    at = found["items"][0]["at"]
    assert len((await desk.read("/audit/lines", until=at))["items"]) == 4
    assert len((await desk.read("/audit/lines", since=at))["items"]) == 1
    for name, value in {"subject": "cus_9", "action": "a", "correlation_id": "c", "actor": "nobody"}.items():
        assert (await desk.read("/audit/lines", **{name: value}))["items"] == []


async def test_a_line_is_read_with_what_is_sealed_in_it(desk: Desk):
    """The person's words are opened for whoever may read; a line that there is not is 404."""
    await desk.note("cus_1")
    (line,) = (await desk.read("/audit/lines"))["items"]
    assert "personal" not in line
    read = await desk.read(f"/audit/lines/{line['chain']}/{line['seq']}")
    assert read["personal"] == {"reason": "I know them"}
    problem(await desk.ask("GET", f"/audit/lines/{line['chain']}/99"), 404, "not_found")


async def test_a_verification_tells_the_anchor_and_every_break(desk: Desk):
    """Whole at first; against an anchor that somebody kept and that is not ours, not."""
    await desk.note("cus_1")
    made = await audit.anchor(desk.database)
    assert made is not None
    found = await desk.read("/audit/verification", anchor=f"1:{made.hash}")
    assert (found["faults"], found["last_anchor"], found["last_anchor_hash"]) == ([], 1, made.hash)
    assert (await desk.read("/audit/verification", anchor=f"1:{'0' * 64}"))["faults"] != []
    problem(await desk.ask("GET", "/audit/verification?anchor=latest"), 422, "invalid")


async def test_a_person_is_exported_and_erased_and_both_are_audited(desk: Desk):
    """All that is held, then nothing; neither the address nor a kept answer remembers whom it was about."""
    await desk.note("cus_1")
    held = (await desk.ask("POST", "/privacy/exports", json={"person": FIONA})).json()
    assert held["fields"] == {"subject": FIONA}
    assert held["held"]["audit"][0]["personal"] == {"reason": "I know them"}
    wanted = {"person": FIONA, "reason": "asked to be forgotten"}
    erased = await desk.ask("POST", "/privacy/erasures", json=wanted)
    assert erased.json()["person"] == held["person"]
    problem(await desk.ask("POST", "/privacy/erasures", json=wanted), 404, "not_found")
    lines = (await desk.read("/audit/lines"))["items"]
    assert [(line["action"], line.get("person")) for line in lines] == [
        ("privacy.erased", PETRA),
        ("privacy.exported", PETRA),
        ("customer.approved", None),
    ]
    assert (await desk.read("/audit/verification"))["faults"] == []


async def test_retention_is_reported_run_and_held(desk: Desk):
    """Every class is told; a hold names who holds and why, and is lifted again."""
    report = await desk.read("/retention/report")
    assert not report["deleted"]
    assert {one["name"]: one["days"] for one in report["classes"]}["audit"] == 3653
    run = await desk.ask("POST", "/retention/runs", headers={"Idempotency-Key": "retention-1"})
    assert run.json()["deleted"]
    held = await desk.ask("PUT", "/retention/holds/cor_1", json={"reason": "Case 7"})
    assert (held.json()["held_by"], held.status_code) == (PETRA, 200)
    assert [one["subject"] for one in (await desk.read("/retention/holds"))["items"]] == ["cor_1"]
    lifted = await desk.ask("DELETE", "/retention/holds/cor_1")
    assert (lifted.status_code, lifted.json()["reason"]) == (200, "Case 7")
    problem(await desk.ask("DELETE", "/retention/holds/cor_1"), 404, "not_found")


async def test_a_gateway_without_a_database_says_so(deployment: Deployment):
    """503 and not a fault of ours."""
    problem(await deployment.administer("GET", "/audit/lines"), 503, "unavailable")
