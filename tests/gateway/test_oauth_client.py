"""tests/gateway: Authlib's own client, which knows nothing of us, against two server processes."""

import asyncio
import json
import warnings
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from authlib.deprecate import AuthlibDeprecationWarning
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import get_well_known_url
from joserfc import jws

from bench.ports import free_port
from gateway.identity import DevelopmentIssuer
from gateway.identity.issuing.keyring import Keyring
from tests.gateway.signing import BACK, EC_KEY, JWKS, Browser, sent_back
from tests.support.processes import GRANIAN, running

ORDER = "/experience/shop/v1/orders/o"


class Served:
    """The gateway in two processes behind one port."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        # A connection per request: either process may answer.
        limits = httpx.Limits(max_keepalive_connections=0)
        self.http = httpx.AsyncClient(base_url=url, limits=limits, timeout=30)

    def client(self, name: str, **more: Any) -> Any:
        """Authlib's client."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", AuthlibDeprecationWarning)  # it would rather have httpx2
            from authlib.integrations.httpx_client import AsyncOAuth2Client  # noqa: PLC0415
        return AsyncOAuth2Client(name, **more)

    async def metadata(self) -> dict[str, Any]:
        """What the issuer says of itself, where RFC 8414 has clients look for it."""
        found = (await self.http.get(get_well_known_url(self.url, external=True))).json()
        assert found["issuer"] == self.url
        return found


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[tuple[str, Path]]:
    """Where two processes serve, and where they keep their keys."""
    folder = tmp_path_factory.mktemp("served")
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    given = {
        "ISSUER_FOLDER": str(folder),
        "PUBLIC_URL": url,
        "DATABASE_URL": database_url,
        "CLIENT_KEYS": json.dumps(JWKS),
    }
    arguments = (*GRANIAN, "--workers", "2", "--port", str(port), "tests.gateway.served_signing:app")
    with running(*arguments, environ=given):
        yield url, folder


@pytest.fixture
async def served(address: tuple[str, Path]) -> AsyncIterator[Served]:
    """Two processes that answer."""
    found = Served(*address)
    async with asyncio.timeout(60), found.http:
        while True:
            try:
                await found.http.get("/health/live")
                break
            except httpx.TransportError:
                await asyncio.sleep(0.05)
        yield found


async def signed_in(served: Served, url: str) -> str:
    """The address to which somebody with a browser is sent back."""
    browser = Browser(served.http)
    page = await served.http.get(url)
    assert page.status_code == 200, page.text
    answer = await browser.decide(page)
    sent_back(answer, issuer=served.url)
    return answer.headers["location"]


async def test_a_client_signs_people_in_by_code_and_pkce(served: Served):
    """Many sign-ins, each through whichever process answers, all give tokens that every process believes."""
    about = await served.metadata()

    async def once(number: int) -> int:
        verifier = f"verifier-{number:040d}"
        async with served.client(
            "page",
            redirect_uri=BACK,
            scope="experience.shop.read",
            code_challenge_method="S256",
            token_endpoint_auth_method="none",
        ) as client:
            url, state = client.create_authorization_url(
                about["authorization_endpoint"], code_verifier=verifier
            )
            back = await signed_in(served, url)
            await client.fetch_token(
                about["token_endpoint"], authorization_response=back, state=state, code_verifier=verifier
            )
            return (await client.get(served.url + ORDER)).status_code

    assert [await once(number) for number in range(6)] == [200] * 6


async def test_a_code_is_spent_for_all_processes(served: Served):
    """Of many exchanges of one code at once, over both processes, at most one gives a token."""
    browser = Browser(served.http)
    page = await browser.open()
    code = sent_back(await browser.decide(page), issuer=served.url)["code"]
    answers = await asyncio.gather(*(browser.redeem(code) for _ in range(12)))
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 11


async def test_a_client_proves_itself_by_its_key(served: Served):
    """private_key_jwt as Authlib writes it, and each assertion counts once for both processes."""
    about = await served.metadata()
    client = served.client("robot", client_secret=EC_KEY, token_endpoint_auth_method="private_key_jwt")
    client.register_client_auth_method(
        PrivateKeyJWT(about["token_endpoint"], alg="ES256", headers={"kid": "ec-1"})
    )
    async with client:
        await client.fetch_token(about["token_endpoint"], grant_type="client_credentials")
        assert (await client.get(served.url + ORDER)).status_code == 200
    assertion = PrivateKeyJWT(about["token_endpoint"], alg="ES256", headers={"kid": "ec-1"}).sign(
        client, about["token_endpoint"]
    )
    form = {
        "grant_type": "client_credentials",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": assertion,
    }
    answers = await asyncio.gather(*(served.http.post("/oauth/token", data=form) for _ in range(8)))
    assert sum(answer.status_code == 200 for answer in answers) == 1


async def test_running_processes_follow_a_rotation(served: Served):
    """A third process rotates: both sign by the next key at once, and the old one's tokens still hold."""
    about = await served.metadata()
    keys = [key["kid"] for key in (await served.http.get(about["jwks_uri"])).json()["keys"]]
    secret = {"client_id": "desk", "client_secret": _secret(served)}
    form = {"grant_type": "client_credentials", "scope": "process.works.read", **secret}
    before = (await served.http.post("/oauth/token", data=form)).json()["access_token"]
    Keyring(served.folder, lifetime=3600).rotate()
    for _ in range(6):  # whichever process answers
        after = (await served.http.post("/oauth/token", data=form)).json()["access_token"]
        assert _kid(after) == keys[1]
        shown = [key["kid"] for key in (await served.http.get(about["jwks_uri"])).json()["keys"]]
        assert shown[0] == keys[1]
        assert keys[0] in shown
        for token in (before, after):
            auth = {"Authorization": f"Bearer {token}"}
            assert (await served.http.get("/process/works/v1/works/w", headers=auth)).status_code == 200


def _secret(served: Served) -> str:
    issuer = DevelopmentIssuer(served.folder, issuer="", audience="", consumers={}, scopes=())
    return issuer.client_secret("desk")


def _kid(token: str) -> str:
    return jws.extract_compact(token.encode()).headers()["kid"]
