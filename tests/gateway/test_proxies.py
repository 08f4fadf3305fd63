"""tests/gateway: real proxies, balancers and probes in front of the gateway, as `proxies.toml` lists them."""

import hashlib
import tomllib
from pathlib import Path
from typing import Any

import pytest

from gateway.exchange import Exchange, Reply
from gateway.identity import jose
from gateway.identity.certificates import Certificates
from gateway.pipeline import GatewaySettings
from gateway.policies.cache.conditions import cache_directives
from gateway.policies.cors import CorsSettings
from gateway.policies.wire import Wire, WireSettings
from tests.gateway.deployment import PLANS, Deployment, problem

VALUES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("proxies.toml").read_text(encoding="utf-8"))
TRUSTED = ("10.0.0.0/8", "fd00::/8", "::ffff:192.0.2.0/120")
HOSTS = ("gateway.test.", "2001:db8::1")
APP = "https://app.test"
SHOP = "/experience/shop/v1"


def rows(kind: str) -> Any:
    return pytest.mark.parametrize("row", [pytest.param(row, id=row["by"]) for row in VALUES[kind]])


def scope(
    headers: list[tuple[bytes, bytes]],
    path: str = "/",
    *,
    method: str = "GET",
    peer: str = "203.0.113.1",
    version: str = "1.1",
) -> dict[str, Any]:
    return {
        "type": "http",
        "http_version": version,
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers,
        "client": (peer, 1),
    }


async def receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


async def answer(deployment: Deployment, given: dict[str, Any]) -> tuple[int, dict[str, str]]:
    """Status and headers of the answer to a request as the server hands it on."""
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await deployment.gateway(given, receive, send)
    return sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}


@rows("address")
async def test_the_source_is_the_callers_address_whatever_the_proxy_writes(row: dict[str, Any]):
    """The source limit and the audit get one canonical address, without port, brackets or mapping."""
    seen: list[str] = []

    async def look(exchange: Exchange) -> Reply:
        seen.append(exchange.source)
        return Reply(200, [])

    headers = [(b"host", b"a"), *((b"x-forwarded-for", line.encode()) for line in row["forwarded_for"])]
    step = Wire(WireSettings(trusted_proxies=TRUSTED)).wrap(None, look)
    await step(Exchange(scope(headers, peer=row["peer"]), receive))
    assert seen == [row["source"]]


@pytest.mark.parametrize(
    ("peer", "accepted"),
    [
        ("10.0.0.5", True),
        ("::ffff:10.0.0.5", True),
        ("FD00::5", True),
        ("fe80::1%eth0", False),
        ("11.0.0.5", False),
    ],
)
def test_a_certificate_is_accepted_from_a_terminator_in_any_notation(peer: str, accepted: bool):
    """The Client-Cert header is compared by the same addresses as X-Forwarded-For."""

    given = Exchange(scope([(b"client-cert", b":AAAA:")], peer=peer), receive)
    thumbprint = jose.encode_part(hashlib.sha256(bytes(3)).digest())
    certificates = Certificates(TRUSTED)
    if accepted:
        certificates.check(given, thumbprint)
    else:
        with pytest.raises(Exception, match="bound to a certificate"):
            certificates.check(given, thumbprint)


@pytest.mark.parametrize("row", VALUES["lines"], ids=lambda row: row["header"])
def test_a_header_on_several_lines_is_one_list(row: dict[str, Any]):
    """No line of a repeated header is lost (RFC 9110 §5.3)."""

    name = row["header"].encode()
    headers = [(b"host", b"a"), *((name, value.encode()) for value in row["values"]), (b"x", b"y")]
    assert Exchange(scope(headers), receive).headers == {
        b"host": b"a",
        name: row["one"].encode(),
        b"x": b"y",
    }


@pytest.fixture(scope="module")
def strict(keys_folder: Path) -> Deployment:
    """A gateway with names of its own and a page of another origin."""
    wire = WireSettings(hosts=HOSTS, max_body_bytes=1024)
    settings = GatewaySettings(plans=PLANS, wire=wire, cors=CorsSettings(origins=(APP,)))
    return Deployment(keys_folder, settings)


@rows("probe")
@pytest.mark.parametrize("path", ["/health/live", "/health/ready", "/livez", "/readyz"])
async def test_a_probe_is_answered_whatever_host_it_names(strict: Deployment, row: dict[str, Any], path: str):
    """A balancer or an orchestrator knows a target by its address only."""
    headers = [(b"host", host.encode()) for host in row["hosts"]]
    status, _ = await answer(strict, scope(headers, path, version=row.get("version", "1.1")))
    assert status == 200


async def test_a_probe_with_two_hosts_is_refused(strict: Deployment):
    """What a proxy and the gateway could read differently is refused at every address."""
    status, _ = await answer(strict, scope([(b"host", b"a"), (b"host", b"b")], "/health/live"))
    assert status == 400


@rows("host")
async def test_hosts_are_compared_as_names_and_addresses(strict: Deployment, row: dict[str, Any]):
    """A trailing dot, a port, capitals and the notation of an address make no difference."""
    status, _ = await answer(strict, scope([(b"host", row["host"].encode())], "/nothing"))
    assert status == row["status"]


@pytest.mark.parametrize(
    ("version", "host", "status"), [("1", [], 404), ("1", [b""], 404), ("1.1", [], 400), ("1.1", [b""], 400)]
)
async def test_only_http_1_0_needs_no_host(
    deployment: Deployment, version: str, host: list[bytes], status: int
):
    """A request of HTTP/1.1 without a Host is 400 (RFC 9112 §3.2), one of HTTP/1.0 is not."""
    headers = [(b"host", value) for value in host]
    assert (await answer(deployment, scope(headers, "/nothing", version=version)))[0] == status


REFUSED = [
    (404, "GET", "/nothing", {}),
    (405, "PATCH", f"{SHOP}/orders", {}),
    (400, "GET", f"{SHOP}//orders", {}),
    (400, "GET", "/nothing", {"Host": "evil.test"}),
    (413, "POST", f"{SHOP}/orders", {"Content-Length": "9999", "Content-Type": "application/json"}),
    (414, "GET", f"{SHOP}/orders?" + "x" * 9000, {}),
    (431, "GET", f"{SHOP}/orders", {"X-Large": "x" * 20_000}),
]


@pytest.mark.parametrize(("status", "method", "path", "headers"), REFUSED)
async def test_a_script_of_an_allowed_origin_can_read_a_refusal_before_the_route(
    strict: Deployment, status: int, method: str, path: str, headers: dict[str, str]
):
    """A refusal by the wire or the route has the same CORS headers as one after it."""
    sent = {"Origin": APP, "Host": "gateway.test", **headers}
    refusal = await strict.http.request(method, path, headers=sent)
    assert refusal.status_code == status
    assert refusal.headers["access-control-allow-origin"] == APP
    assert "Correlation-Id" in refusal.headers["access-control-expose-headers"]
    assert refusal.headers["vary"] == "Origin"
    foreign = await strict.http.request(method, path, headers={**sent, "Origin": "https://evil.test"})
    assert foreign.status_code == status
    assert "access-control-allow-origin" not in foreign.headers
    assert foreign.headers["vary"] == "Origin"


@pytest.mark.parametrize("path", ["/nothing", f"{SHOP}//orders", f"{SHOP}/orders?" + "x" * 9000])
async def test_a_preflight_of_what_will_be_refused_lets_the_script_read_why(strict: Deployment, path: str):
    """Browsers hide a refused preflight; so it is answered, and the request itself is refused."""
    asked = {"Origin": APP, "Host": "gateway.test", "Access-Control-Request-Method": "PUT"}
    preflight = await strict.http.request("OPTIONS", path, headers=asked)
    assert (preflight.status_code, preflight.content) == (204, b"")
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert "Authorization" in preflight.headers["access-control-allow-headers"]
    foreign = await strict.http.request("OPTIONS", path, headers={**asked, "Origin": "https://evil.test"})
    assert foreign.status_code >= 400


async def test_a_page_of_the_internal_listener_has_no_cors_headers(strict: Deployment):
    """No browser is a caller of the internal listener."""
    refusal = await strict.internal.get("/nothing", headers={"Origin": APP})
    problem(refusal, 404, "unknown_route")
    assert "access-control-allow-origin" not in refusal.headers


def test_no_cache_on_a_first_line_counts():
    """`Cache-Control: no-cache` is obeyed on whatever line it stands."""
    lines = [(b"cache-control", b"no-cache"), (b"cache-control", b"min-fresh=1")]
    directives = cache_directives(Exchange(scope(lines), receive))
    assert directives.no_cache
    assert directives.min_fresh == 1
