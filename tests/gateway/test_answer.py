"""tests/gateway: the form of every answer."""

import gc
from pathlib import Path
from typing import Any

import pytest

from contracts.operation import Deprecation
from contracts.problems import catalogue
from gateway.lifecycle import NONE, deprecation_headers
from gateway.pipeline import GatewaySettings
from gateway.policies.cors import CorsSettings
from tests.gateway.deployment import Deployment, problem

ORDERS = "/experience/shop/v1/orders/o-1"
REFUSALS = 50


async def test_every_answer_carries_the_same_safe_headers(deployment: Deployment):
    """Success and failure, API and page: the id, no sniffing, no framing."""
    for path in (ORDERS, "/nothing", "/apis", "/health/live"):
        headers = (await deployment.call("GET", path)).headers
        assert headers["correlation-id"].startswith("cor_")
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "cache-control" in headers
    assert (await deployment.call("GET", ORDERS)).headers["cache-control"] == "no-store"


async def test_a_floors_refusal_passes_as_it_is(deployment: Deployment):
    """The tier's own problem document reaches the caller, with the same correlation id."""
    answer = await deployment.call("GET", "/experience/shop/v1/orders/gone")
    assert problem(answer, 404, "not_found")["detail"] == "There is no order gone"


async def test_the_unforeseen_is_a_bare_500(deployment: Deployment):
    """Nothing of a fault of ours is told to the caller."""
    answer = await deployment.call("GET", "/experience/shop/v1/broken")
    problem(answer, 500, "unexpected")
    assert "hunter2" not in answer.text


async def test_a_fault_in_the_door_itself_is_a_bare_500(
    deployment: Deployment, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """So is a fault of the gateway; the log has it under the correlation id."""
    node = deployment.gateway.runtime.version.table._root.named["health"].named["live"]

    async def fail(_: object) -> None:
        raise RuntimeError("secret=hunter2")

    _, route, places = node.steps["GET"]
    monkeypatch.setitem(node.steps, "GET", (fail, route, places))
    answer = await deployment.call("GET", "/health/live")
    problem(answer, 500, "unexpected")
    assert "hunter2" not in answer.text
    assert answer.headers["correlation-id"] in caplog.text


@pytest.mark.parametrize(
    ("path", "token", "status"),
    [("/nothing", True, 404), (ORDERS, False, 401), (ORDERS + "?odd=1", True, 422)],
)
async def test_a_refusal_leaves_nothing_for_the_garbage_collector(
    deployment: Deployment, path: str, token: bool, status: int
):
    """A flood of refusals does not make it hold up whoever is answered."""
    target, _, query = path.partition("?")
    authorization = [(b"authorization", f"Bearer {deployment.token('screen')}".encode())] if token else []
    scope = {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": target,
        "raw_path": target.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"gateway.test"), *authorization],
        "client": ("127.0.0.1", 1),
    }
    seen = set()

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        seen.add(message.get("status", status))

    await deployment.gateway(scope, receive, send)
    gc.collect()
    gc.disable()
    try:
        for _ in range(REFUSALS):
            await deployment.gateway(scope, receive, send)
        left = gc.collect()
    finally:
        gc.enable()
    assert seen == {status}
    assert left < REFUSALS


async def test_a_deprecated_operation_says_so(deployment: Deployment):
    """Deprecation is a structured date, Sunset an HTTP date, and the successor is linked."""
    headers = (await deployment.call("GET", "/experience/shop/v1/old")).headers
    assert headers["deprecation"] == "@1767225600"
    assert headers["sunset"] == "Thu, 31 Dec 2026 00:00:00 GMT"
    assert headers["link"].startswith('</experience/shop/v1/orders>; rel="successor-version", ')


def test_nothing_goes_before_it_is_deprecated():
    """Sunset is never earlier than Deprecation."""
    with pytest.raises(ValueError, match="earlier"):
        deprecation_headers("experience/shop@1", NONE, Deprecation("2026-02-01", "2026-01-01", "/new"))


@pytest.mark.parametrize("code", sorted(catalogue()))
async def test_every_problem_type_leads_to_its_page(deployment: Deployment, code: str):
    """The `type` of a problem resolves."""
    answer = await deployment.http.get(f"/apis/problems/{code}", headers={"Accept": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (200, code)


async def test_without_configuration_no_other_origin_may_call(deployment: Deployment):
    """No CORS header leaves the gateway unless origins are configured."""
    answer = await deployment.call("GET", ORDERS, headers={"Origin": "https://app.test"})
    assert not [name for name in answer.headers if name.startswith("access-control")]


async def test_configured_origins_may_call_and_others_may_not(keys_folder: Path):
    """A preflight needs no token and tells what may be sent; answers name the origin."""
    deployment = Deployment(keys_folder, GatewaySettings(cors=CorsSettings(origins=("https://app.test",))))
    ask = {"Origin": "https://app.test", "Access-Control-Request-Method": "GET"}
    preflight = await deployment.call("OPTIONS", ORDERS, "", headers=ask)
    assert preflight.status_code == 204
    assert preflight.headers["access-control-allow-origin"] == "https://app.test"
    assert preflight.headers["access-control-allow-methods"] == "GET, HEAD, OPTIONS, PUT"
    allowed = preflight.headers["access-control-allow-headers"].split(", ")
    assert {"Authorization", "DPoP", "If-None-Match", "Last-Event-ID"} <= set(allowed)
    answer = await deployment.call("GET", ORDERS, headers={"Origin": "https://app.test"})
    assert answer.headers["access-control-allow-origin"] == "https://app.test"
    exposed = answer.headers["access-control-expose-headers"].split(", ")
    assert {"Correlation-Id", "DPoP-Nonce", "WWW-Authenticate"} <= set(exposed)
    refused = await deployment.call("GET", ORDERS, "", headers={"Origin": "https://app.test"})
    assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://app.test")
    other = await deployment.call("OPTIONS", ORDERS, "", headers={**ask, "Origin": "https://evil.test"})
    assert "access-control-allow-origin" not in other.headers
    assert other.headers["vary"] == "Origin"
