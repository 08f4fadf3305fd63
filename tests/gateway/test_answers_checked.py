"""tests/gateway: answers against the frozen document: enforced, shadowed, sampled, or not looked at."""

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.problems import Conflict
from gateway.exchange import Exchange, Reply
from gateway.inventory import Mounted
from gateway.pipeline import GatewaySettings
from gateway.plans import decode
from gateway.policies.contract import ContractSettings
from kit.operations import document
from kit.settings import SettingsError
from tests.gateway.demo import Shop
from tests.gateway.deployment import CONSUMERS, PLANS, URL, Deployment, believing, problem
from tests.support.gateways import make_gateway

SHOP = "/experience/shop/v1"
GOOD: dict[str, Any] = {"id": "o-1"}
BAD: dict[str, Any] = {"id": 7, "count": "top-secret-value"}


class Saying:
    """A tier that says what it is told to."""

    def __init__(self) -> None:
        self.body: bytes = json.dumps(BAD).encode()
        self.status = 200
        self.kind = b"application/json"

    async def answer(self, _: Exchange) -> Reply:
        return Reply(self.status, [(b"content-type", self.kind)], self.body)


def door(
    deployment: Deployment, tier: Saying, shape: dict[str, Any] | None = None, **answers: Any
) -> httpx.AsyncClient:
    """A gateway over the tier whose answers are checked as told."""
    contract = decode({"answers": answers}, ContractSettings, "contract")
    gateway = make_gateway(
        settings=believing(GatewaySettings(plans=PLANS, contract=contract)),
        consumers=CONSUMERS,
        apis=[Mounted(Shop, shape or document(Shop), lambda _: tier.answer)],
        public_url=URL,
        issuer=deployment.issuer,
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(gateway), base_url=URL)


async def read(deployment: Deployment, http: httpx.AsyncClient, consumer: str = "ci") -> httpx.Response:
    auth = {"Authorization": f"Bearer {deployment.token(consumer)}"}
    return await http.get(f"{SHOP}/orders/o-1", headers=auth)


def told(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [record.msg for record in caplog.records if "against the contract" in str(record.msg)]


@pytest.fixture
def saying() -> Saying:
    return Saying()


async def test_enforced_an_answer_off_its_contract_is_a_bare_500(
    deployment: Deployment, saying: Saying, caplog: pytest.LogCaptureFixture
):
    """The caller gets nothing of it; the log has the pointers and no value."""
    async with door(deployment, saying, mode="enforce") as http:
        answer = await read(deployment, http)
        problem(answer, 500, "unexpected")
        (line,) = told(caplog)
        assert set(line["faults"]) == {"/count type", "/id type"}
        assert line["correlation_id"] == answer.headers["correlation-id"]
        assert "top-secret-value" not in answer.text + caplog.text
        saying.body = json.dumps(GOOD | {"version": "1", "more": "is allowed"}).encode()
        assert (await read(deployment, http)).status_code == 200


@pytest.mark.parametrize(
    ("status", "kind", "body", "fault"),
    [
        (200, b"application/json", b"{", "json"),
        (200, b"text/plain", b"{}", "media_type"),
        (200, b"application/json", b"[]", "type"),
        (207, b"application/json", b"{}", "status"),
        (404, b"application/json", b"{}", "media_type"),
        (404, b"application/problem+json", b'{"title": "incomplete"}', "/status required"),
    ],
)
async def test_enforced_it_may_be_wrong_in_any_way(
    deployment: Deployment,
    saying: Saying,
    caplog: pytest.LogCaptureFixture,
    status: int,
    kind: bytes,
    body: bytes,
    fault: str,
):
    """No JSON, another media type, a status that no document names, a failure that is no problem document."""
    saying.status, saying.kind, saying.body = status, kind, body
    async with door(deployment, saying, mode="enforce") as http:
        problem(await read(deployment, http), 500, "unexpected")
    assert fault in told(caplog)[0]["faults"]


async def test_in_the_shadow_it_passes_and_is_told(
    deployment: Deployment, saying: Saying, caplog: pytest.LogCaptureFixture
):
    """Every answer is looked at, none is held back."""
    async with door(deployment, saying, mode="shadow") as http:
        answers = [await read(deployment, http) for _ in range(3)]
    assert [answer.json() for answer in answers] == [BAD] * 3
    assert len(told(caplog)) == 3


async def test_a_sample_is_the_share_that_was_asked_for(
    deployment: Deployment, saying: Saying, caplog: pytest.LogCaptureFixture
):
    """One in four, told and passed; none when the share is nothing."""
    async with door(deployment, saying, mode="sample", ratio=0.25) as http:
        assert {(await read(deployment, http)).status_code for _ in range(8)} == {200}
    assert len(told(caplog)) == 2
    caplog.clear()
    async with door(deployment, saying, mode="sample", ratio=0) as http:
        await read(deployment, http)
    assert told(caplog) == []


async def test_the_nearest_rule_holds(deployment: Deployment, saying: Saying):
    """A consumer's before the operation's, that before its API's, that before the one for all."""
    enforce = {"mode": "enforce"}
    rules: dict[str, Any] = {"mode": "off", "consumers": {"reader": enforce}}
    async with door(deployment, saying, **rules) as http:
        assert [(await read(deployment, http, who)).status_code for who in ("ci", "reader")] == [200, 500]
    rules = {
        "mode": "off",
        "routes": {"experience/shop@1": enforce},
        "consumers": {"reader": {"mode": "off"}},
    }
    async with door(deployment, saying, **rules) as http:
        assert [(await read(deployment, http, who)).status_code for who in ("ci", "reader")] == [500, 200]
    rules["routes"]["experience/shop@1.get_order"] = {"mode": "shadow"}
    async with door(deployment, saying, **rules) as http:
        assert (await read(deployment, http)).status_code == 200


async def test_what_the_floors_really_answer_is_on_contract(keys_folder: Path):
    """Success, refusal and failure of the demo house pass where all answers are enforced."""
    contract = decode({"answers": {"mode": "enforce"}}, ContractSettings, "contract")
    deployment = Deployment(keys_folder, GatewaySettings(plans=PLANS, contract=contract))
    assert (await deployment.call("GET", f"{SHOP}/orders/o-1")).status_code == 200
    problem(await deployment.call("GET", f"{SHOP}/orders/gone"), 404, "not_found")
    assert (await deployment.place()).status_code == 202
    deployment.tier.fail = Conflict("Not now")
    problem(await deployment.place(), 409, "conflict")


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "no-such-type"}, "anyOf"),
        ({"$ref": "#/components/schemas/Missing"}, "Missing"),
        ({"$ref": "https://schemas.example/answer.json"}, "not part of the document"),
        ({"$ref": "file:///etc/hostname"}, "not part of the document"),
        ({"type": "string", "pattern": "("}, "regex"),
    ],
)
@pytest.mark.parametrize("mode", ["enforce", "off"])
def test_a_schema_of_no_use_opens_no_door(
    deployment: Deployment, saying: Saying, schema: dict[str, Any], why: str, mode: str
):
    """Its route is named, nothing is fetched, and it matters not whether answers would be checked."""
    shape = document(Shop)
    content = shape["paths"]["/orders/{order_id}"]["get"]["responses"]["200"]["content"]
    content["application/json"]["schema"] = schema
    with pytest.raises(SettingsError, match=rf"experience/shop@1\.get_order: .*{why}"):
        door(deployment, saying, shape, mode=mode)


def test_a_rule_for_what_is_no_route_is_refused():
    """Routes are named like APIs and their operations."""
    with pytest.raises(SettingsError, match="routes"):
        decode({"answers": {"routes": {"/orders": {}}}}, ContractSettings, "contract")
