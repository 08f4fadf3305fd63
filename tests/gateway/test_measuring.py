"""tests/gateway: what the gateway counts of its requests."""

import json
from pathlib import Path

from kit.telemetry import Sample, families
from tests.gateway.deployment import Deployment
from tests.support.forkserver import piped

ORDERS = "/experience/shop/v1/orders"
CALLER = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def counted(**wanted: str) -> list[Sample]:
    """The counts of requests with some labels."""
    family = next(found for found in families() if found.name == "http_server_request_duration_seconds")
    return [
        sample
        for sample in family.samples
        if sample.suffix == "_count" and wanted.items() <= sample.labels.items()
    ]


async def test_requests_are_counted_by_route_consumer_status_and_problem(deployment: Deployment):
    """The route is its template, so that ids make no series."""
    labels = {"http_route": ORDERS + "/{order_id}", "consumer": "screen"}
    before = sum(sample.value for sample in counted(**labels))
    for order in ("a", "b", "c", "gone"):
        await deployment.call("GET", f"{ORDERS}/{order}", "screen")
    found = counted(**labels)
    assert sum(sample.value for sample in found) == before + 4
    assert {sample.labels["http_response_status_code"] for sample in found} >= {"200", "404"}


async def test_strangers_make_no_series_of_their_own(deployment: Deployment):
    """All unknown addresses are one, and so are all callers whom nobody knows."""
    before = series()
    for number in range(30):
        await deployment.call("GET", f"/nothing/{number}")
        forged = {"Authorization": f"Bearer {deployment.issuer.sign({'client_id': f'nobody-{number}'})}"}
        await deployment.call("GET", ORDERS, "", headers=forged)
    assert len(series() - before) <= 2
    assert not [sample for sample in counted() if sample.labels["consumer"].startswith("nobody")]


def series() -> set[str]:
    """The labels of all requests counted so far, by this process."""
    return {json.dumps(sample.labels) for sample in counted()}


def test_a_sampled_request_is_a_server_span_in_its_callers_trace(tmp_path: Path):
    """Child of a caller whom we trust, root for one from outside, and nothing where nothing is sampled."""
    printed = piped("tests.gateway.spans", str(tmp_path), CALLER).communicate()
    trusted, failed, outside = json.loads(printed)
    _, trace, span, _ = CALLER.split("-")
    assert (trusted["trace"], trusted["parent"]) == (trace, span)
    assert trusted["name"] == f"GET {ORDERS}/{{order_id}}"
    assert trusted["traceparent"] == f"00-{trace}-{trusted['span']}-01"
    assert (trusted["status"], trusted["error"]) == (200, False)
    assert (failed["status"], failed["error"]) == (504, True)
    assert outside["parent"] is None
    assert outside["trace"] != trace
