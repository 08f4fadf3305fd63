"""tests/gateway: a public address with a path, behind a proxy that strips the path and one that keeps it."""

import asyncio
import base64
import hashlib
import re
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec
import pytest
from joserfc import jwk, jwt

from deploy.composition.issuers import IssuerCalls
from deploy.composition.webhooks import webhook_step
from deploy.settings import read_settings
from gateway.lifecycle import ApiLifecycle
from gateway.pages import PageSettings, SignInSettings
from gateway.pipeline import GatewaySettings
from gateway.plans import OAuthClient
from gateway.policies.identity import IdentitySettings
from kit.database import Database
from kit.settings import SettingsError
from system_apis.connector import WebhookAnswer
from system_apis.intake import AddressedRequest
from tests.gateway.deployment import PLANS, Deployment
from tests.gateway.nginx_like import NginxLike
from tests.gateway.signing import PEOPLE, fields
from tests.gateway.test_pages import BUNDLE, HTML, OWN, PAGE

HOST = "https://firm.test"
PATH = "/apps/gw"
URL = HOST + PATH
ORDER = f"{URL}/experience/shop/v1/orders/o"
PASSED: list[AddressedRequest] = []


class Site:
    """A gateway under a path, a proxy before it, and who calls through the proxy."""

    def __init__(self, folder: Path, database: Database, way: Literal["strip", "keep"]) -> None:
        proxy = NginxLike(lambda: self.serve, PATH, way)
        self.http = httpx.AsyncClient(transport=httpx.ASGITransport(proxy), base_url=HOST)
        calls = IssuerCalls(httpx.AsyncClient(transport=httpx.ASGITransport(proxy)))
        sign_in = SignInSettings(client_id="page", scopes=("experience.shop.read",))
        client = OAuthClient(redirect_uris=(f"{URL}/toy/auth/callback",))
        retired: Any = {"state": "retired", "owner": "us", "since": "2026-01-01", "sunset": "2026-01-01"}
        old = msgspec.convert({**retired, "successor": "experience/shop@1"}, ApiLifecycle)

        async def receive(request: AddressedRequest) -> WebhookAnswer:
            PASSED.append(request)
            return WebhookAnswer()

        self.deployment = Deployment(
            folder,
            GatewaySettings(
                plans=PLANS,
                pages={"toy": PageSettings("/toy", str(BUNDLE), sign_in=sign_in)},
                identity=IdentitySettings(embedded_issuer=True),
            ),
            consumers={"page": msgspec.structs.replace(PAGE, client=client)},
            people=PEOPLE,
            url=URL,
            database=database,
            lifecycles={"experience/bazaar@1": old},
            fetch=calls.fetch,
            post=calls.post,
            hooks=webhook_step(f"{URL}/", receive),
        )

    async def serve(self, scope: Any, receive: Any, send: Any) -> None:
        # In a task of its own, as every request of a server: a task has one deadline.
        await asyncio.create_task(self.deployment.gateway(scope, receive, send))

    async def token(self, **headers: str) -> httpx.Response:
        secret = self.deployment.issuer.client_secret("page")
        metadata = (await self.http.get(f"/.well-known/oauth-authorization-server{PATH}")).json()
        form = {"grant_type": "client_credentials"}
        return await self.http.post(
            metadata["token_endpoint"], data=form, auth=("page", secret), headers=headers
        )


@pytest.fixture(params=["strip", "keep"])
async def site(keys_folder: Path, database: Database, request: Any) -> AsyncIterator[Site]:
    found = Site(keys_folder, database, request.param)
    async with found.http:
        yield found
    await found.deployment.gateway.close()


async def test_every_link_of_the_catalogue_leads_somewhere(site: Site):
    """Each address in the pages, in their JSON and in the documents is below the public one, and answers."""
    start = await site.http.get(f"{URL}/", follow_redirects=True)
    assert str(start.url) == f"{URL}/apis"
    waiting, seen = [f"{URL}/apis"], set[str]()
    while waiting:
        url = waiting.pop()
        if url in seen:
            continue
        seen.add(url)
        answer = await site.http.get(url, headers=HTML)
        assert answer.status_code == 200, url
        waiting += [urljoin(url, link) for link in re.findall(r'href="([^"#]+)', answer.text)]
    listed = (await site.http.get(f"{URL}/apis")).json()["apis"]
    for one in listed:
        document = (await site.http.get(HOST + one["openapi"])).json()
        assert document["servers"][0]["url"].startswith(URL + "/")
        assert one["base"].startswith(PATH + "/")


async def test_what_is_described_is_where_it_is_said_to_be(site: Site):
    """Metadata is where RFC 8414 and RFC 9728 put it (and below the path), and its addresses answer."""
    for name in ("oauth-authorization-server", "oauth-protected-resource"):
        document = (await site.http.get(f"/.well-known/{name}{PATH}")).json()
        assert (await site.http.get(f"{URL}/.well-known/{name}")).json() == document
        assert document.get("issuer", document.get("resource")) == URL
        for key, value in document.items():
            if key.endswith(("_endpoint", "_uri", "_documentation")):
                assert value.startswith(URL + "/")
                assert (await site.http.get(value)).status_code not in (404, 410), key
    refused = await site.http.get(ORDER)
    (challenge,) = set(re.findall(r'resource_metadata="([^"]+)"', refused.headers["www-authenticate"]))
    assert (await site.http.get(challenge)).json()["resource"] == URL


async def test_a_problem_names_addresses_that_answer(site: Site):
    """The type of a problem, its instance, and a successor are addresses below the public one."""
    for url, status in ((ORDER, 401), (f"{URL}/nothing", 404), (f"{URL}/experience/bazaar/v1/x", 410)):
        refused = await site.http.get(url)
        document = refused.json()
        assert (refused.status_code, document["instance"]) == (status, urlsplit(url).path)
        assert int(refused.headers["content-length"]) == len(refused.content)
        assert (await site.http.get(document["type"])).status_code == 200
    assert document["successor"] == f"{PATH}/experience/shop/v1"
    assert refused.headers["link"] == f'<{PATH}/experience/shop/v1>; rel="successor-version"'


async def test_a_proof_is_for_the_public_address(site: Site):
    """A DPoP proof names what the client called, at the token endpoint and at an API (RFC 9449 §4.3)."""
    key = jwk.ECKey.generate_key("P-256")

    def proof(method: str, url: str, **claims: str) -> str:
        header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": key.as_dict(private=False)}
        content = {"jti": uuid.uuid4().hex, "htm": method, "htu": url, "iat": int(time.time()), **claims}
        return jwt.encode(header, content, key, algorithms=["ES256"])

    given = (await site.token(DPoP=proof("POST", f"{URL}/oauth/token"))).json()
    assert given["token_type"] == "DPoP"
    token = given["access_token"]
    ath = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
    for url, status in ((ORDER, 200), (ORDER.replace(PATH, ""), 401)):
        headers = {"Authorization": f"DPoP {token}", "DPoP": proof("GET", url, ath=ath)}
        assert (await site.http.get(ORDER, headers=headers)).status_code == status


async def test_people_sign_in_to_a_page_below_the_path(site: Site):
    """Redirects, the form, cookies and calls stay below the public address, and the return is as wanted."""
    form = await site.http.get(f"{URL}/toy/deals", headers=HTML, follow_redirects=True)
    assert form.status_code == 200, form.text
    (action,) = re.findall(r'<form method="post" action="([^"]+)"', form.text)
    chosen = {**fields(form).hidden, "person": "fiona.finance", "decision": "approve"}
    back = await site.http.post(urljoin(str(form.url), action), data=chosen)
    done = await site.http.get(back.headers["location"])
    assert done.headers["location"] == f"{PATH}/toy/deals"
    assert "__Host-enfilade-toy-apps-gw" in site.http.cookies
    answer = await site.http.get(f"{URL}/toy/api/experience/shop/v1/orders/o")
    assert answer.json()["subject"] == "fiona.finance"
    begin = await site.http.get(f"{URL}/toy/auth/sign-in", params={"return_to": f"{PATH}/toy/deals/2"})
    assert begin.headers["location"].startswith(f"{URL}/oauth/authorize?")
    out = await site.http.post(f"{URL}/toy/auth/sign-out", headers={**OWN, "Origin": HOST})
    assert out.json() == {"location": f"{PATH}/toy/"}


async def test_a_vendor_signs_the_public_address(site: Site):
    """A webhook is handed on with the address that its vendor called, whose signature may cover it."""
    PASSED.clear()
    await site.http.post(
        f"{URL}/hooks/vault-a?code=1", content=b"{}", headers={"Content-Type": "application/json"}
    )
    assert [each.request.url for each in PASSED] == [f"{URL}/hooks/vault-a?code=1"]


async def test_a_path_is_removed_once_and_only_as_it_is_written(keys_folder: Path):
    """Neither a path twice nor one in other characters leads to an API."""
    deployment = Deployment(keys_folder, url=URL)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(deployment.gateway), base_url=HOST) as http:
        for path in (f"{PATH}{PATH}/apis", "/apps/g%77/apis", f"{PATH}//apis", f"{PATH}x/apis", "/apps"):
            assert (await http.get(path)).status_code in (400, 404), path
        assert (await http.get(PATH)).headers["location"] == f"{PATH}/apis"


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("https://api.firm.test/", "https://api.firm.test"),
        ("https://firm.test/gw/", "https://firm.test/gw"),
        ("https://firm.test/apps/gw", "https://firm.test/apps/gw"),
        ("https://firm.test/apis", None),
        ("https://firm.test/.well-known", None),
        ("https://firm.test/a//b", None),
        ("https://firm.test/a%2Fb", None),
        ("https://firm.test/?a=b", None),
        ("firm.test", None),
        ("https://[::1", None),
    ],
)
def test_a_public_address_is_checked_and_has_no_slash_at_the_end(url: str, address: str | None):
    """The issuer, the audience and every link begin with it, so it is the same text everywhere."""
    environ = {"ENFILADE_DATABASE_URL": "postgresql+psycopg:///none", "ENFILADE_PUBLIC_URL": url}
    if address is not None:
        assert read_settings(environ).address == address
        return
    with pytest.raises(SettingsError, match="ENFILADE_PUBLIC_URL"):
        read_settings(environ)


def test_a_bundle_does_not_take_the_path_of_the_public_address(keys_folder: Path):
    """Behind a proxy that strips the path, both would begin alike."""
    page = PageSettings("/toy", str(BUNDLE))
    with pytest.raises(SettingsError, match=r"pages\.toy\.path"):
        Deployment(keys_folder, GatewaySettings(plans=PLANS, pages={"toy": page}), url=f"{HOST}/toy")
