"""tests/gateway: the sign-in page in a real browser, which keeps the rules that our headers state."""

import json
from collections.abc import AsyncIterator
from html import escape
from pathlib import Path
from typing import Any

import httpx
import pytest

from gateway.plans import Consumer, OAuthClient
from kit.database import Database
from tests.gateway.deployment import Deployment
from tests.gateway.signing import PEOPLE, Browser, fields
from tests.support.chromium import CHROMIUM, Page, chromium
from tests.support.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")]

HEARD = "document.readyState === 'complete' && "


class Elsewhere:
    """A site of somebody else: pages as they are given to it, and what it was asked."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.asked: list[str] = []

    async def __call__(self, scope: Any, _: Any, send: Any) -> None:
        self.asked.append(f"{scope['path']}?{scope['query_string'].decode()}")
        body = self.pages.get(scope["path"], "<title>elsewhere</title>").encode()
        head = [(b"content-type", b"text/html"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})


class Street:
    """The gateway, somebody else's site, and a person with a browser."""

    def __init__(
        self, gateway: str, elsewhere: Elsewhere, port: int, page: Page, deployment: Deployment
    ) -> None:
        self.gateway = gateway
        self.elsewhere = elsewhere
        self.back = f"http://127.0.0.1:{port}/callback"
        self.evil = f"http://localhost:{port}"  # another site than 127.0.0.1, to every browser
        self.page = page
        self.deployment = deployment

    def question(self, browser: Browser) -> str:
        asked = browser.question(client_id="desk", redirect_uri=self.back, scope="process.works.read")
        return str(httpx.URL(f"{self.gateway}/oauth/authorize", params=asked))


@pytest.fixture
async def street(tmp_path: Path, keys_folder: Path, database: Database) -> AsyncIterator[Street]:
    """All of them, in this process, over real sockets."""
    elsewhere, rooms = Elsewhere(), {}

    async def door(scope: Any, receive: Any, send: Any) -> None:
        await rooms["deployment"].gateway(scope, receive, send)

    async with serving(elsewhere) as port, serving(door) as own, chromium(tmp_path / "profile") as page:
        desk = Consumer(
            title="Desk",
            scopes=("process.works.read",),
            roles=("finance",),
            client=OAuthClient(redirect_uris=(f"http://127.0.0.1:{port}/callback",), public=True),
        )
        url = f"http://127.0.0.1:{own}"
        deployment = Deployment(
            keys_folder, consumers={"desk": desk}, people=PEOPLE, url=url, database=database
        )
        rooms["deployment"] = deployment
        async with deployment.http:
            yield Street(url, elsewhere, port, page, deployment)


async def test_a_person_signs_in_by_keyboard(street: Street):
    """Tab, Space, Tab, Enter: the browser carries the code back, and no policy of ours stands in its way."""
    browser, page = Browser(street.deployment.http), street.page
    await page.go(street.question(browser))
    await page.until(HEARD + "document.querySelector('form') !== null")
    for _ in range(4):  # past the links at the top
        await page.press("Tab", 9)
    await page.press(" ", 32, " ")
    assert await page.evaluate("document.querySelector('input:checked').value") == "fiona.finance"
    await page.press("Tab", 9)
    await page.press("Enter", 13, "\r")
    await page.until(HEARD + "document.title === 'elsewhere'")
    told = httpx.URL(await page.evaluate("location.href")).params
    assert told["iss"] == street.gateway
    answer = await browser.redeem(told["code"], client_id="desk", redirect_uri=street.back)
    assert answer.status_code == 200


async def test_another_site_can_neither_frame_nor_send_the_form(street: Street):
    """A page elsewhere shows nothing of ours, and a form that it sends for somebody signs nobody in."""
    browser, page = Browser(street.deployment.http), street.page
    await page.go(street.question(browser))  # the person has a page of ours open, and its cookie
    await page.until(HEARD + "document.querySelector('form') !== null")
    sealed = await page.evaluate("document.querySelector('input[name=request]').value")
    others = fields(await browser.http.get(street.question(browser))).hidden["request"]
    for number, request in enumerate((sealed, others)):
        named = {"request": request, "person": "fiona.finance", "decision": "approve"}
        inputs = "".join(f"<input name={name} value={escape(value)}>" for name, value in named.items())
        street.elsewhere.pages[f"/trap{number}"] = (
            f'<form method=post action="{street.gateway}/oauth/authorize">{inputs}</form>'
            "<script>document.forms[0].submit()</script>"
        )
        await page.go(f"{street.evil}/trap{number}")
        await page.until(HEARD + f"location.origin === {json.dumps(street.gateway)}")
        assert "cannot continue" in await page.evaluate("document.body.innerText")
    framed = f'<title>frame</title><iframe src="{escape(street.question(browser))}"></iframe>'
    street.elsewhere.pages["/frame"] = framed
    await page.go(f"{street.evil}/frame")
    await page.until(HEARD + "document.title === 'frame'")
    assert await page.evaluate("document.querySelector('iframe').contentDocument") is None
    assert not [asked for asked in street.elsewhere.asked if asked.startswith("/callback")]
