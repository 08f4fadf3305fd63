"""The toy bundle in a real browser, which keeps the rules that cookies and headers state."""

from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.composition.issuers import IssuerCalls
from gateway.pages import PageSettings, SignInSettings
from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer, OAuthClient
from gateway.policies.identity import IdentitySettings
from kit.database import Database
from tests.gateway.deployment import PLANS, Deployment
from tests.gateway.feed import FeedTier, mounted
from tests.gateway.signing import PEOPLE
from tests.gateway.test_pages import BUNDLE
from tests.support.chromium import CHROMIUM, chromium
from tests.support.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.skipif(not CHROMIUM, reason="Chromium is not installed")]


async def test_a_person_signs_in_sees_live_data_and_signs_out(
    tmp_path: Path, keys_folder: Path, database: Database
):
    """The page knows its person, calls APIs and hears events by its cookie, which no script can read."""
    rooms: dict[str, Deployment] = {}

    async def door(scope: Any, receive: Any, send: Any) -> None:
        await rooms["it"].gateway(scope, receive, send)

    async with (
        serving(door) as port,
        chromium(tmp_path / "profile") as page,
        httpx.AsyncClient(trust_env=False) as http,
    ):
        tier, calls, url = FeedTier(), IssuerCalls(http), f"http://127.0.0.1:{port}"
        consumer = Consumer(
            title="The toy",
            scopes=("experience.*.read",),
            client=OAuthClient(redirect_uris=(f"{url}/toy/auth/callback",)),
        )
        sign_in = SignInSettings(client_id="page")
        pages = {"toy": PageSettings("/toy", str(BUNDLE), sign_in=sign_in)}
        rooms["it"] = Deployment(
            keys_folder,
            GatewaySettings(plans=PLANS, pages=pages, identity=IdentitySettings(embedded_issuer=True)),
            consumers={"page": consumer},
            people=PEOPLE,
            url=url,
            apis=(mounted(tier),),
            database=database,
            fetch=calls.fetch,
            post=calls.post,
        )
        await page.go(f"{url}/toy/deals")
        await page.until("document.querySelector('form input[value=\"fiona.finance\"]') !== null")
        await page.evaluate("document.querySelector('input[value=\"fiona.finance\"]').click()")
        await page.evaluate("document.querySelector('button[value=approve]').click()")
        await page.until("location.pathname === '/toy/deals'")
        await page.until("document.getElementById('order')?.textContent === 'fiona.finance page'")
        assert await page.evaluate("document.getElementById('who').textContent") == "fiona.finance"
        assert await page.evaluate("document.cookie + localStorage.length + sessionStorage.length") == "00"
        tier.events.put_nowait(7)
        await page.until("document.getElementById('event').textContent === '{\"number\":7}'")
        await page.evaluate("signOut()")
        await page.until("document.title === '/toy/'")
        await page.go(f"{url}/toy/deals")
        await page.until("document.querySelector('form input[value=\"fiona.finance\"]') !== null")
