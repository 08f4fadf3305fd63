"""tests/gateway: the catalogue, the hooks and the gateway's own addresses."""

from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path

from contracts.problems import InvalidToken
from deploy.composition.webhooks import webhook_step
from gateway.policies.wire import LIVE, READY
from system_apis.connector import WebhookAnswer
from system_apis.intake import AddressedRequest
from tests.gateway.deployment import URL, Deployment, problem

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8"}


class Links(HTMLParser):
    """What a page refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self.found |= {value for name, value in attrs if name in ("href", "src") and value}


async def test_the_root_leads_to_the_catalogue(deployment: Deployment):
    """Whoever opens the address sees the APIs."""
    answer = await deployment.http.get("/")
    assert (answer.status_code, answer.headers["location"]) == (307, "/apis")


async def test_the_catalogue_lists_every_api_for_programs_and_people(deployment: Deployment):
    """JSON or HTML, as the caller accepts."""
    listed = (await deployment.http.get("/apis")).json()["apis"]
    assert [api["api"] for api in listed] == ["experience/shop@1", "process/works@1", "system/vault@1"]
    assert listed[2]["instances"] == ["vault-main", "vault-other"]
    page = await deployment.http.get("/apis", headers=BROWSER)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["vary"] == "Accept"


async def test_every_link_of_every_page_leads_somewhere_of_ours(deployment: Deployment):
    """Nothing is fetched from elsewhere, and nothing leads nowhere."""
    waiting, seen = {"/apis"}, set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        answer = await deployment.http.get(path, headers=BROWSER)
        assert answer.status_code == 200, path
        if answer.headers["content-type"].startswith("text/html"):
            links = Links()
            links.feed(answer.text)
            assert all(link.startswith("/") for link in links.found), links.found
            waiting |= links.found - seen
    assert "/apis/system/vault/v1/openapi.json" in seen
    assert "/apis/problems/invalid" in seen


async def test_a_document_names_the_addresses_of_this_deployment(deployment: Deployment):
    """Servers are absolute, and a system API names its instances."""
    shop = (await deployment.http.get("/apis/experience/shop/v1/openapi.json")).json()
    vault = (await deployment.http.get("/apis/system/vault/v1/openapi.json")).json()
    assert shop["openapi"] == "3.1.0"
    assert shop["servers"][0]["url"] == URL + "/experience/shop/v1"
    assert vault["servers"][0]["variables"]["instance"]["enum"] == ["vault-main", "vault-other"]


async def test_the_gateway_says_whether_it_lives_and_is_ready(keys_folder: Path):
    """Live is live; not ready is 503, with no word of why to the world."""
    missing = {"database": "does not answer"}

    async def ready() -> Mapping[str, str]:
        return missing

    deployment = Deployment(keys_folder, ready=ready)
    for live in LIVE:
        assert (await deployment.http.get(live)).status_code == 200
    for path in READY:
        answer = await deployment.http.get(path)
        assert (answer.status_code, answer.json()) == (503, {"ready": False})
    missing.clear()
    assert [(await deployment.http.get(path)).status_code for path in READY] == [200, 200]


async def test_a_webhook_reaches_its_receiver_as_it_was_sent(keys_folder: Path):
    """It gets method, external address, headers and the very bytes, and may refuse it."""
    got: list[AddressedRequest] = []

    async def receive(addressed: AddressedRequest) -> WebhookAnswer:
        if addressed.request.headers.get("x-signature") != "good":
            raise InvalidToken("The push is not signed as it should be")
        got.append(addressed)
        return WebhookAnswer(200, "text/plain; charset=utf-8", b"a&b")

    deployment = Deployment(keys_folder, hooks=webhook_step(URL, receive))
    raw = b'{"b": 1,\n "a" : 2}'
    headers = {"X-Signature": "good", "Content-Type": "application/json"}
    forged = {**headers, "X-Signature": "x"}
    address = "/hooks/netsuite-main?token=a%20b%2F&token="
    answer = await deployment.http.post(address, content=raw, headers=headers)
    assert (answer.status_code, answer.content) == (200, b"a&b")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    request = got[0].request
    assert (request.method, request.url, request.body) == ("POST", URL + address, raw)
    assert (got[0].instance, request.name, got[0].vendor) == ("netsuite-main", "", "")
    for method, path in (("GET", "/hooks/netsuite-main/orders"), ("POST", "/vendor-hooks/netsuite")):
        assert (await deployment.http.request(method, path, headers=headers)).status_code == 200
    assert [(one.request.method, one.instance, one.request.name, one.vendor) for one in got[1:]] == [
        ("GET", "netsuite-main", "orders", ""),
        ("POST", "", "", "netsuite"),
    ]
    problem(await deployment.http.post(address, content=raw, headers=forged), 401, "invalid_token")
    assert (await deployment.http.put(address, content=raw, headers=headers)).status_code == 405


async def test_without_a_receiver_there_are_no_hooks(deployment: Deployment):
    """What is not configured is not there."""
    problem(await deployment.http.post("/hooks/netsuite-main", json={}), 404, "unknown_route")
