"""Bad input, bad luck: every problem that a document names is got once, over HTTP, from a real house."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.problems import catalogue
from deploy.composition.interfaces import frozen, interfaces
from deploy.embedded import Embedded
from kit.operations import api_of
from tests.contracts.cases import ACTIVATIONS, CASES, CUSTOMER, ERP, READS, WITHOUT_DATABASE, Case
from tests.contracts.public_gateway import MARK, PublicGateway, fresh, furnish, push_of
from tests.support.instances import CRM_INSTANCE
from tests.support.sandboxes import SandboxOf
from tests.support.servers import prepare_template
from tests.support.stack import Stack, open_accounts, until

# The deployment is made once, and its stores are taken away at the end: one worker, in this order.
pytestmark = pytest.mark.xdist_group("problem_codes")

MAX_SECONDS = 5
# What no request can bring about, with the reason.
NEVER_ASKED_FOR = {
    "unexpected": "a fault of ours that nobody foresaw; were there a way to it, we would mend it",
    "vendor_pending": "none of these vendors accepts a request before it is done; a toy vendor does",
}
GUESTS = """
[consumers.hasty-{tier}]
title = "Somebody with one call an hour"
scopes = ["{tier}.*.read"]
subscriptions = {{ "*" = "one" }}

[consumers.spent-{tier}]
title = "Somebody with one call a month"
scopes = ["{tier}.*.read"]
subscriptions = {{ "*" = "monthly" }}

[consumers.patient-{tier}]
title = "Somebody who is in no hurry"
scopes = ["{tier}.*.read"]
subscriptions = {{ "*" = "patient" }}

[consumers.nowhere-{tier}]
title = "Somebody who has subscribed to nothing"
scopes = ["{tier}.*.read"]
subscriptions = {{}}

[consumers.suspended-{tier}]
title = "Somebody whose key leaked"
scopes = ["{tier}.*.read"]
"""
SETTINGS = f"""
[plans.one]
limits = [{{ name = "hourly", requests = 1, seconds = 3600 }}]

[plans.monthly]
limits = [{{ name = "hourly", requests = 1000, seconds = 3600 }}]
monthly_quota = 1

[plans.patient]
limits = [{{ name = "hourly", requests = 1000, seconds = 3600 }}]
lane = "background"

[hop]
max_seconds = {MAX_SECONDS}
"""


@pytest.fixture(scope="module")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A PostgreSQL and a Valkey of this deployment's own."""
    embedded = Embedded(tmp_path_factory.mktemp("stores"), durable=False).start()
    prepare_template(embedded.database_url)
    yield embedded
    embedded.stop()


@pytest.fixture(scope="module")
async def public(
    tmp_path_factory: pytest.TempPathFactory,
    stores: Embedded,
    sandbox_of: SandboxOf,
) -> AsyncIterator[PublicGateway]:
    """The gateway of a deployment with unwelcome guests, and one CRM's flow switched off."""
    async with open_accounts(sandbox_of) as accounts:
        deployment = Stack(tmp_path_factory.mktemp("door"), stores.database_url, stores.cache_url, accounts)
        configure(deployment)
        async with httpx.AsyncClient(base_url=deployment.url, timeout=30) as http:
            made = PublicGateway(deployment, http)
            try:
                await deployment.start()
                await furnish(made)
                await suspend(made)
                yield made
            finally:
                deployment.stop()


def configure(deployment: Stack) -> None:
    for name, text in (
        ("consumers.toml", "".join(GUESTS.format(tier=tier) for tier in READS)),
        ("gateway.toml", SETTINGS),
    ):
        path = deployment.config / name
        path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")
    main = (deployment.config / f"instances/{CRM_INSTANCE}.toml").read_text(encoding="utf-8")
    off = main.replace(f'"{CRM_INSTANCE}"', '"crm-off"')
    (deployment.config / "instances/crm-off.toml").write_text(off, encoding="utf-8")
    bound = "max_in_flight = 500"
    deployment.edit(
        "gateway.toml", (bound, f"{bound}\nbackground = 0.001 # one call in hand is too much already")
    )
    live = f'{CRM_INSTANCE} = "live"'
    deployment.edit("flows.toml", (live, f'{live}\ncrm-off = "off"'))


async def suspend(public: PublicGateway) -> None:
    """Suspend whom the file lets in, and wait until the gateway knows."""
    names = [f"suspended-{tier}" for tier in READS]
    async with public.rows() as connection, connection.transaction():
        for name in names:
            row = "INSERT INTO enfilade.suspensions (consumer, reason, suspended_by) VALUES (%s, %s, %s)"
            await connection.execute(row, [name, "Its key leaked", "carla"])
        await connection.execute("UPDATE enfilade.directory_changes SET version = version + 1")

    async def look() -> bool:
        return (await public.call("GET", READS["process"], names[1])).status_code == 403

    await until("the gateway knows of the suspensions", look)


def expect_problem(answer: httpx.Response, case: Case) -> None:
    """The status and document that the case's code stands for, with nothing of the vendor's in it."""
    kind = catalogue()[case.code]
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    told = answer.json()
    assert (answer.status_code, told["status"], told["code"]) == (kind.status, kind.status, case.code), told
    assert told["title"] == kind.title
    assert re.fullmatch(rf"https?://[^/]+/apis/problems/{case.code}", told["type"])
    assert told["detail"]
    assert re.fullmatch(r"cor_[0-9a-z]{26}", told["correlation_id"])
    assert told["correlation_id"] == answer.headers["correlation-id"]
    assert {fault["pointer"] for fault in told.get("errors", ())} >= case.says
    assert not case.with_header or answer.headers[case.with_header]
    assert MARK not in answer.text
    if case.code.startswith(("vendor_", "contract_")):
        assert told["vendor_instance"] in told["detail"], "says whose fault it is"


@pytest.mark.parametrize("case", CASES, ids=str)
async def test_each_problem(public: PublicGateway, case: Case) -> None:
    """The status, code, correlation id, every fault; and nothing is kept of what was refused."""
    before = await public.held()
    expect_problem(await case.how(public), case)
    if not case.keeps:
        assert await public.held() == before


def test_no_documented_problem_is_left_out() -> None:
    """What the frozen documents name, by tier, is what the cases get: no less, and no more."""
    documented = {
        (api_of(interface).tier, code)
        for interface in interfaces()
        if api_of(interface).tier != "gateway"  # on the internal listener: tests/gateway/test_admin.py
        for path in frozen(interface)["paths"].values()
        for operation in path.values()
        for response in operation["responses"].values()
        for code in response.get("x-problem-codes", ())
        if code not in NEVER_ASKED_FOR
    }
    assert {(case.tier, case.code) for case in (*CASES, *WITHOUT_DATABASE)} == documented


async def test_a_path_that_does_not_take_the_method_says_which_it_takes(public: PublicGateway) -> None:
    """405 with Allow, and 404 where no API stands: neither belongs to an operation, so no document has it."""
    wrong = await public.call("DELETE", ACTIVATIONS)
    expect_problem(wrong, Case("process", "method_not_allowed", "", public.call, with_header="allow"))
    assert set(wrong.headers["allow"].split(", ")) == {"GET", "HEAD", "OPTIONS", "POST"}
    nowhere = await public.call("GET", "/process/nowhere/v1/things")
    expect_problem(nowhere, Case("process", "unknown_route", "", public.call))


async def test_a_push_is_believed_once_and_only_when_signed_now(public: PublicGateway) -> None:
    """Forged, stale, early, unreadable, for nobody: refused. A replay is taken and changes nothing."""
    event = fresh("evt")
    body = push_of(event)
    refused = [
        (401, "invalid_token", await public.push(body, event=event, signature="sha256=" + "0" * 64)),
        (401, "invalid_token", await public.push(body, event=event, stamp=1_700_000_000)),
        (401, "invalid_token", await public.push(body, event=event, stamp=4_000_000_000)),
        (401, "invalid_token", await public.push(body, event="another")),
        (400, "bad_request", await public.push(b'{"eventId":', event=event)),
        (404, "not_found", await public.call("POST", f"/hooks/{CRM_INSTANCE}", None, json={})),
        (404, "not_found", await public.call("POST", "/hooks/nobody", None, json={})),
    ]
    for status, code, answer in refused:
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
        assert answer.json()["correlation_id"] == answer.headers["correlation-id"]
    assert await told(public, event) == 0
    taken = [await public.push(body, event=event) for _ in range(3)]
    assert [answer.status_code for answer in taken] == [202, 202, 202]
    assert await told(public, event) == 1


async def told(public: PublicGateway, event: str) -> int:
    async with public.rows() as connection:
        query = "SELECT count(*) FROM enfilade.inbox WHERE id = %s"
        return (await (await connection.execute(query, [f"push:{event}"])).fetchall())[0][0]


async def test_without_the_cache_the_house_answers(public: PublicGateway, stores: Embedded) -> None:
    """Limits fall to the local share, nothing is a 5xx, and whom we believe does not depend on it."""
    running = stores._running
    assert running is not None
    running.children[1].stop()
    for tier, path in READS.items():
        if tier != "experience":
            assert (await public.call("GET", path)).status_code == 200
    stranger = await public.call("GET", READS["process"], None, token=public.forged(aud="elsewhere"))
    assert stranger.status_code == 401
    ready = await public.http.get("/health/ready")
    assert ready.status_code == 200


async def test_without_the_database_nothing_is_begun(public: PublicGateway, stores: Embedded) -> None:
    """503 with Retry-After where our own rows are needed, and nothing reaches a vendor that must not."""
    before = await public.held_outside()
    running = stores._running
    assert running is not None
    running.children[0].stop()
    for case in WITHOUT_DATABASE:
        expect_problem(await case.how(public), case)
    body = {"instance": CRM_INSTANCE, "opportunity_id": public.deals["open"].opportunity_id}
    started = await public.post(ACTIVATIONS, body)
    expect_problem(started, Case("process", "unavailable", "a start", public.call, with_header="retry-after"))
    made = await public.call("PUT", f"{ERP}/customers/by-key/never-made", json=CUSTOMER)
    expect_problem(made, Case("system", "unavailable", "a write", public.call, with_header="retry-after"))
    ready = await public.http.get("/health/ready")
    assert (ready.status_code, ready.json()) == (503, {"ready": False})
    assert await public.held_outside() == before


async def test_no_secret_is_in_any_line_of_the_log(public: PublicGateway) -> None:
    """No token that was shown, no credential of a vendor's account, no key, and no vendor's words."""
    lines = public.logged()
    assert [line for line in lines.splitlines() if '"event": "unexpected"' in line] == []
    for token in public.tokens:
        assert token not in lines
        assert token.rpartition(".")[2] not in lines
    for name, secret in secrets_of(public.deployment.accounts.env).items():
        assert secret not in lines, name
    assert "eyJ" not in lines
    assert "PRIVATE KEY" not in lines
    assert MARK not in lines
    assert [answer for answer in public.answers if MARK in answer.text] == []


def secrets_of(env: dict[str, str]) -> dict[str, str]:
    """What an account's environment has to hide: secrets themselves, and a line of each key file."""
    found = {
        name: value
        for name, value in env.items()
        if re.search("SECRET|TOKEN|PASSWORD", name) and "URL" not in name
    }
    files = {name: Path(value) for name, value in env.items() if name.endswith("KEY_FILE")}
    return {
        **found,
        **{name: path.read_text(encoding="ascii").split("\n")[1] for name, path in files.items()},
    }
