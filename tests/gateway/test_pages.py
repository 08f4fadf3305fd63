"""A page bundle: its files, people who sign in to it, and calls of its page; and who is kept out."""

import asyncio
import datetime as dt
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import select, update

from contracts.problems import Forbidden
from deploy.composition.issuers import IssuerCalls
from gateway.exchange import Exchange
from gateway.identity import revocation
from gateway.pages import PageSettings, SignInSettings, check_pages
from gateway.pages.browser import check_own_page, local_address
from gateway.pages.files import Files
from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer, OAuthClient
from gateway.policies.identity import IdentitySettings
from gateway.tables import page_sessions
from kit import clock, privacy
from kit.audit.tables import audit
from kit.database import Database
from kit.settings import SettingsError
from tests.gateway.deployment import ORDER, PLANS, Deployment, problem
from tests.gateway.oidc import ISSUER, SECRET, Provider, trusted
from tests.gateway.signing import PEOPLE, fields
from tests.support.stack import until

URL = "https://pages.test"
BUNDLE = Path(__file__).parent / "bundle"
ORDERS = "/toy/api/experience/shop/v1/orders"
READ = f"{ORDERS}/o"
SCOPE = "experience.shop.read experience.shop.write"
ASSET = "/toy/assets/app-1a2b3c4d.js"
HTML = {"Accept": "text/html,*/*;q=0.8"}
OWN = {"Origin": URL, "Sec-Fetch-Site": "same-origin", "X-Requested-By": "toy"}
PAGE = Consumer(
    title="The toy",
    scopes=("experience.shop.*",),
    roles=("finance",),
    client=OAuthClient(redirect_uris=(f"{URL}/toy/auth/callback",)),
)
SIGN_IN = SignInSettings(
    client_id="page", issuer=ISSUER, client_secret="env:TOY", scopes=("openid", *SCOPE.split())
)


def toy(**sign_in: Any) -> PageSettings:
    return PageSettings(path="/toy", folder=str(BUNDLE), sign_in=msgspec.structs.replace(SIGN_IN, **sign_in))


class Site:
    """A gateway with the bundle, and the provider at which its people sign in."""

    def __init__(self, folder: Path, database: Database, page: PageSettings) -> None:
        self.provider = Provider(URL, SCOPE)
        self.deployment = Deployment(
            folder,
            GatewaySettings(
                plans=PLANS,
                pages={"toy": page, "open": PageSettings(path="/open", folder=str(BUNDLE))},
                identity=IdentitySettings(embedded_issuer=True, issuers=(trusted(URL),)),
            ),
            consumers={"page": PAGE, "ci": Consumer(title="All", scopes=("*.*.*",))},
            url=URL,
            database=database,
            fetch=self.provider.fetch,
            post=self.provider.post,
            environ={"TOY": SECRET},
        )

    def browser(self) -> httpx.AsyncClient:
        """A browser with cookies of its own."""
        return httpx.AsyncClient(transport=httpx.ASGITransport(self.deployment.gateway), base_url=URL)

    async def sign_in(
        self, browser: httpx.AsyncClient, path: str = "/toy/deals/1", **other: str
    ) -> httpx.Response:
        """The answer to the browser that comes back from the provider."""
        first = await browser.get(path, headers=HTML)
        begin = await browser.get(first.headers["location"])
        return await browser.get(self.provider.authorize(begin.headers["location"], **other))

    def session_of(self, browser: httpx.AsyncClient) -> str:
        return browser.cookies["__Host-enfilade-toy"]


@pytest.fixture
def page() -> PageSettings:
    return toy()


@pytest.fixture
async def site(keys_folder: Path, database: Database, page: PageSettings) -> AsyncIterator[Site]:
    found = Site(keys_folder, database, page)
    await found.deployment.gateway.start()
    yield found
    await found.deployment.gateway.close()


@pytest.fixture
async def browser(site: Site) -> AsyncIterator[httpx.AsyncClient]:
    async with site.browser() as found:
        yield found


async def test_files_are_cached_for_good_and_the_entry_never(browser: httpx.AsyncClient):
    """Hashed files are immutable, compressed and tagged; the HTML is fetched anew and runs nothing inline."""
    script = await browser.get(ASSET, headers={"Accept-Encoding": "gzip"})
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert (script.headers["content-encoding"], script.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert script.text == (BUNDLE / "assets/app-1a2b3c4d.js").read_text(encoding="utf-8")
    etag = script.headers["etag"]
    again = await browser.get(ASSET, headers={"Accept-Encoding": "gzip", "If-None-Match": f'"x", W/{etag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    plain = await browser.get(ASSET, headers={"Accept-Encoding": "gzip;q=0", "If-None-Match": etag})
    assert (plain.status_code, "content-encoding" in plain.headers) == (200, False)
    head = await browser.head(ASSET, headers={"Accept-Encoding": "identity"})
    assert (int(head.headers["content-length"]), head.content) == (len(plain.content), b"")
    assert (await browser.get("/toy/robots.txt")).headers["cache-control"] == "no-cache"
    entry = await browser.get("/open/", headers=HTML)
    assert entry.headers["cache-control"] == "no-store"
    policy = entry.headers["content-security-policy"]
    assert policy.startswith("default-src 'self';")
    assert "unsafe" not in policy
    assert entry.headers["x-content-type-options"] == "nosniff"


async def test_addresses_of_the_application_get_its_entry(browser: httpx.AsyncClient):
    """Within the prefix every address without a file is the application's; files and others are not."""
    entry = (BUNDLE / "index.html").read_bytes()
    for path in ("/open/", "/open/deals/1/steps"):
        assert (await browser.get(path, headers=HTML)).content == entry
    assert (await browser.get("/open")).headers["location"] == "/open/"
    problem(await browser.get("/open/assets/gone.js", headers=HTML), 404, "unknown_route")
    problem(await browser.get("/open/deals/1", headers={"Accept": "application/json"}), 404, "unknown_route")
    problem(await browser.get("/opener", headers=HTML), 404, "unknown_route")
    problem(await browser.post("/open/deals"), 405, "method_not_allowed")


@pytest.mark.parametrize(
    "path",
    ["/open/../test_pages.py", "/open/%2e%2e/test_pages.py", "/open/..%2ftest_pages.py", "/open/.hidden"],
)
async def test_no_path_leads_out_of_the_folder(site: Site, path: str):
    """Neither a climbing path nor a hidden file is served."""
    raw = path.encode()
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    decoded = path.replace("%2e", ".").replace("%2f", "/")
    headers = [(b"host", b"pages.test"), (b"accept", b"text/html")]
    scope = {
        "type": "http",
        "method": "GET",
        "path": decoded,
        "raw_path": raw,
        "query_string": b"",
        "headers": headers,
    }
    await site.deployment.gateway(scope, receive, send)
    assert sent[0]["status"] in (400, 404)


def test_a_link_out_of_the_folder_is_no_file(tmp_path: Path):
    """A bundle does not serve what a link in it points to elsewhere."""
    (tmp_path / "index.html").write_text("x")
    (tmp_path / "out.txt").symlink_to(__file__)
    files = Files("pages.x", PageSettings(path="/x", folder="x"), tmp_path)
    assert files.name_of("anything", "text/html") == "index.html"
    with pytest.raises(Exception, match="no such file"):
        files.name_of("out.txt", "text/html")


async def test_a_person_signs_in_and_the_page_calls_as_that_person(site: Site, browser: httpx.AsyncClient):
    """A cookie is all that the browser gets; the call is the person's, with the scopes of the token."""
    back = await site.sign_in(browser, "/toy/deals/1?tab=steps")
    assert (back.status_code, back.headers["location"]) == (303, "/toy/deals/1?tab=steps")
    cookie = next(line for line in back.headers.get_list("set-cookie") if "Max-Age" not in line)
    assert cookie.startswith("__Host-enfilade-toy=")
    assert cookie.endswith("; Path=/; HttpOnly; SameSite=Lax; Secure")
    assert (await browser.get("/toy/deals/1", headers=HTML)).status_code == 200
    order = (await browser.get(READ)).json()
    assert (order["subject"], order["consumer"]) == ("fiona.finance", "page")
    session = await browser.get("/toy/auth/session")
    assert session.json()["subject"] == "fiona.finance"
    assert "token" not in session.text
    placed = await browser.post(ORDERS, json=ORDER, headers={**OWN, "Idempotency-Key": "pages-0001"})
    assert placed.status_code == 202, placed.text
    problem(await browser.get("/toy/api/process/works/v1/works"), 404, "unknown_route")
    asked = site.provider.forms[0]
    assert (asked["endpoint"], asked["Authorization"][:6]) == ("/token", "Basic ")
    assert "client_secret" not in asked


async def test_cookies_of_other_applications_disturb_no_session(site: Site, browser: httpx.AsyncClient):
    """Whatever the other applications of a host have set, and in whatever order, the session is read."""
    await site.sign_in(browser)
    ours = f"__Host-enfilade-toy={site.session_of(browser)}"
    browser.cookies.clear()
    for other in (
        'prefs={"tab": "a"}',
        "list[0]=x",
        "=",
        "x",
        'q="a',
        "__Host-enfilade-toy2=no",
        "é=ü",
        "a=b=c",
    ):
        for cookies in (f"{other}; {ours}", f"{ours}; {other}"):
            headers = [(b"Cookie", cookies.encode())]
            assert (await browser.get("/toy/auth/session", headers=headers)).status_code == 200, cookies


async def test_what_is_stored_is_encrypted_and_what_happened_is_audited(
    site: Site, browser: httpx.AsyncClient, database: Database
):
    """A row names neither its cookie nor a token nor the person; the audit trail has the sign-in."""
    await site.sign_in(browser)
    async with database.connect() as connection:
        newest = select(page_sessions).order_by(page_sessions.c.begun_at.desc()).limit(1)
        row = (await connection.execute(newest)).one()
        lines = select(audit.c.subject).where(audit.c.action == "pages.signed_in")
        assert "toy" in (await connection.execute(lines)).scalars().all()
    stored = repr(row)
    assert site.session_of(browser) not in stored
    assert "eyJ" not in stored
    assert "fiona" not in stored


async def test_a_cookie_counts_under_its_own_bundle_only(site: Site, browser: httpx.AsyncClient):
    """Elsewhere a cookie is no credential: neither at the APIs themselves nor at other addresses."""
    await site.sign_in(browser)
    problem(await browser.get("/experience/shop/v1/orders/o"), 401, "unauthenticated")
    problem(await browser.get("/toy/api/health/live"), 404, "unknown_route")
    problem(await browser.get("/toy/api/toy/api/experience/shop/v1/orders/o"), 404, "unknown_route")
    problem(await browser.get("/open/api/experience/shop/v1/orders/o"), 404, "unknown_route")


async def test_a_call_under_a_bundle_is_explained(site: Site):
    """`policy explain` takes the page's address of an operation like the operation's own."""
    explain = site.deployment.gateway.runtime.explain
    own = await explain("GET", "/experience/shop/v1/orders/o", "page")
    assert (await explain("GET", READ, "page")).rules == own.rules


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "https://evil.test", "X-Requested-By": "toy"},
        {"Origin": "null", "X-Requested-By": "toy"},
        {"Sec-Fetch-Site": "cross-site", "X-Requested-By": "toy"},
        {"Sec-Fetch-Site": "same-site", "Origin": URL, "X-Requested-By": "toy"},
        {"Sec-Fetch-Site": "same-origin", "Origin": URL},
    ],
    ids=str,
)
async def test_another_sites_page_changes_nothing(
    site: Site, browser: httpx.AsyncClient, headers: dict[str, str]
):
    """With the cookie and without the page's own origin and header, a write and a sign-out are refused."""
    await site.sign_in(browser)
    key = {"Idempotency-Key": "forged-0001"}
    problem(await browser.post(ORDERS, json=ORDER, headers={**headers, **key}), 403, "forbidden")
    problem(await browser.post("/toy/auth/sign-out", headers=headers), 403, "forbidden")
    assert (await browser.get(READ)).status_code == 200


async def test_another_sites_page_reads_nothing(site: Site, browser: httpx.AsyncClient):
    """A read that another site's page causes is refused, and no answer lets its script in."""
    await site.sign_in(browser)
    for site_of in ("cross-site", "same-site"):
        problem(await browser.get(READ, headers={"Sec-Fetch-Site": site_of}), 403, "forbidden")
    answer = await browser.get(READ)
    assert "access-control-allow-origin" not in answer.headers


async def test_a_planted_session_id_is_never_signed_in(site: Site, browser: httpx.AsyncClient):
    """Whoever plants an id before a sign-in has nothing after it, and a former session ends (fixation)."""
    browser.cookies.set("__Host-enfilade-toy", "planted", domain="pages.test")
    await site.sign_in(browser)
    first = site.session_of(browser)
    assert first != "planted"
    begin = await browser.get("/toy/auth/sign-in")
    await browser.get(site.provider.authorize(begin.headers["location"], "sofia.marsh"))
    second = site.session_of(browser)
    assert second != first
    async with site.browser() as thief:
        for old in ("planted", first):
            thief.cookies.set("__Host-enfilade-toy", old, domain="pages.test")
            problem(await thief.get(READ), 401, "unauthenticated")


async def test_a_sign_in_belongs_to_the_browser_that_began_it(site: Site, browser: httpx.AsyncClient):
    """An answer of the provider is worthless in another browser, twice, and of another issuer."""
    begin = await browser.get("/toy/auth/sign-in")
    back = site.provider.authorize(begin.headers["location"])
    async with site.browser() as other:
        assert (await other.get(back)).status_code == 400
        begun = await other.get("/toy/auth/sign-in")
        assert (await other.get(back)).status_code == 400
        wrong = site.provider.authorize(begun.headers["location"], iss="https://evil.test")
        assert (await other.get(wrong)).status_code == 400
        assert "__Host-enfilade-toy" not in other.cookies
    assert (await browser.get(back)).status_code == 303
    assert (await browser.get(back)).status_code == 400


@pytest.mark.parametrize(
    "claim", [{"nonce": "x"}, {"aud": "other"}, {"iss": "https://evil.test"}, {"exp": 1}], ids=str
)
async def test_an_id_token_of_another_sign_in_is_refused(
    site: Site, browser: httpx.AsyncClient, claim: dict[str, Any]
):
    """The ID token must be the provider's, for this client, now, and for this sign-in's nonce."""
    site.provider.other = claim
    assert (await site.sign_in(browser)).status_code == 400
    assert "__Host-enfilade-toy" not in browser.cookies


@pytest.mark.parametrize(
    "wanted",
    [
        "https://evil.test/",
        "//evil.test/",
        "/\\evil.test/",
        "/toy//evil.test",
        "/toy/../apis",
        "/toy/%2e%2e/apis",
        "/toy/auth/sign-out",
        "/toy/api/x",
        "/toyish/",
        "/toy/\r\nSet-Cookie: a=b",
        "javascript:alert(1)",
        "",
        "/toy/" + "a" * 3000,
    ],
)
def test_nobody_is_sent_elsewhere_after_signing_in(wanted: str):
    """An address that is not the bundle's own becomes its start (no open redirect)."""
    assert local_address(wanted, "/toy") == "/toy/"


def test_own_addresses_are_where_people_return():
    """An address of the application is kept with its query."""
    assert local_address("/toy/deals/1?tab=a%20b#x", "/toy") == "/toy/deals/1?tab=a%20b#x"


async def test_signing_out_ends_the_session_everywhere(site: Site, browser: httpx.AsyncClient):
    """The session ends here, its tokens are revoked, and the browser is told the provider's own sign-out."""
    await site.sign_in(browser)
    stolen = site.session_of(browser)
    answer = await browser.post("/toy/auth/sign-out", headers=OWN)
    where = httpx.URL(answer.json()["location"])
    assert (where.host, where.path) == ("login.test", "/end")
    assert where.params["post_logout_redirect_uri"] == f"{URL}/toy/"
    assert where.params["id_token_hint"].startswith("eyJ")
    assert sum(form["endpoint"] == "/revoke" for form in site.provider.forms) == 2
    assert "__Host-enfilade-toy" not in browser.cookies
    browser.cookies.set("__Host-enfilade-toy", stolen, domain="pages.test")
    problem(await browser.get(READ), 401, "unauthenticated")
    problem(await browser.get("/toy/auth/session"), 401, "unauthenticated")
    assert (await browser.get("/toy/", headers=HTML)).status_code == 303


async def test_an_access_token_is_renewed_once_for_all_who_wait(site: Site, browser: httpx.AsyncClient):
    """Calls at once cause one renewal; the browser notices nothing, and the refresh token rotates."""
    site.provider.lifetime = 10
    await site.sign_in(browser)
    site.provider.lifetime = 3600
    site.provider.refreshing = asyncio.Event()
    calls = [asyncio.create_task(browser.get(READ)) for _ in range(5)]

    async def asked() -> None:
        while not site.provider.asked("refresh_token"):  # noqa: ASYNC110 - the provider tells nobody
            await asyncio.sleep(0.01)

    async with asyncio.timeout(10):
        await asked()
    site.provider.refreshing.set()
    assert {answer.status_code for answer in await asyncio.gather(*calls)} == {200}
    assert site.provider.asked("refresh_token") == 1
    assert (await browser.get(READ)).status_code == 200
    assert site.provider.asked("refresh_token") == 1


async def test_a_session_ends_when_the_issuer_renews_no_more(
    site: Site, browser: httpx.AsyncClient, database: Database
):
    """While the token is valid a silent issuer is no matter; a refusal after its end is the session's end."""
    site.provider.lifetime = 10
    await site.sign_in(browser)
    site.provider.away = True
    assert (await browser.get(READ)).status_code == 200
    site.provider.away = False
    site.provider.refresh_tokens.clear()
    assert (await browser.get(READ)).status_code == 200
    await expire_token(site, browser, database)

    await until("the session has ended", lambda: refused(browser), 10)


def key_of(site: Site, browser: httpx.AsyncClient) -> str:
    """The key of a browser's row."""
    return hashlib.sha256(site.session_of(browser).encode()).hexdigest()


async def expire_token(site: Site, browser: httpx.AsyncClient, database: Database) -> None:
    """The stored access token's time is over."""
    key, keys = key_of(site, browser), privacy.keys_of(database)
    about, mine = f"session {key}", page_sessions.c.key == key
    async with database.begin() as connection:
        sealed = await connection.scalar(select(page_sessions.c.sealed).where(mine))
        assert sealed is not None
        tokens = {**msgspec.json.decode(keys.unseal(bytes(sealed), about)), "until": 1.0}
        again = keys.seal(msgspec.json.encode(tokens), about)
        await connection.execute(update(page_sessions).where(mine).values(sealed=again))


@pytest.mark.parametrize("ended", ["expires_at", "used_at"])
async def test_a_session_ends_by_age_and_for_lack_of_use(
    site: Site, browser: httpx.AsyncClient, database: Database, ended: str
):
    """After its absolute age, or too long without a call, a cookie opens nothing, and its row is gone."""
    await site.sign_in(browser)
    past = clock.now() - dt.timedelta(hours=1)
    async with database.begin() as connection:
        await connection.execute(update(page_sessions).values({ended: past}))
    problem(await browser.get(READ), 401, "unauthenticated")
    key = key_of(site, browser)
    async with database.connect() as connection:
        left = await connection.execute(select(page_sessions.c.key).where(page_sessions.c.key == key))
        assert left.all() == []


@pytest.mark.parametrize("page", [toy(required=False)])
async def test_a_page_may_be_open_to_all(browser: httpx.AsyncClient):
    """Where sign-in is not required the page is shown, and its calls are refused until somebody signs in."""
    assert (await browser.get("/toy/", headers=HTML)).status_code == 200
    problem(await browser.get(READ), 401, "unauthenticated")


async def test_a_revoked_person_has_no_session(site: Site, browser: httpx.AsyncClient, database: Database):
    """Revoking a person's tokens ends their sessions: none is renewed into a token that would be valid."""
    await site.sign_in(browser, subject="sofia.marsh")
    await expire_token(site, browser, database)
    async with database.begin() as connection:
        await revocation.revoke(
            connection,
            kind="subject",
            name="sofia.marsh",
            issuer="",
            by="test",
            reason="left",
            longest_seconds=3600,
        )
    status = site.deployment.gateway.credential_status
    assert status is not None
    await status.refresh()
    problem(await browser.get(READ), 401, "unauthenticated")
    assert not site.provider.asked("refresh_token")


async def refused(browser: httpx.AsyncClient) -> bool:
    return (await browser.get(READ)).status_code == 401


def test_files_are_read_again_when_they_changed(tmp_path: Path):
    """A bundle of the same content is not read twice, one with other content is."""
    (tmp_path / "index.html").write_text("x")
    files = Files("pages.x", PageSettings("/x", "x"), tmp_path)
    assert files.is_current(PageSettings("/x", "x"))
    assert not files.is_current(PageSettings("/x", "x", immutable=()))
    (tmp_path / "new.js").write_text("y")
    assert not files.is_current(PageSettings("/x", "x"))


async def test_people_of_the_embedded_issuer_sign_in(keys_folder: Path, database: Database):
    """The embedded issuer serves a bundle as well: over http the cookie has a name without the prefix."""
    url = "http://127.0.0.1:8080"
    rooms: dict[str, Deployment] = {}

    async def forward(scope: Any, receive: Any, send: Any) -> None:
        # In a task of its own, as every request of a server: a task has one deadline.
        await asyncio.create_task(rooms["it"].gateway(scope, receive, send))

    calls = IssuerCalls(httpx.AsyncClient(transport=httpx.ASGITransport(forward)))
    sign_in = SignInSettings(client_id="page", scopes=("experience.shop.read",))
    client = OAuthClient(redirect_uris=(f"{url}/toy/auth/callback",))
    found = rooms["it"] = Deployment(
        keys_folder,
        GatewaySettings(
            plans=PLANS,
            pages={"toy": PageSettings("/toy", str(BUNDLE), sign_in=sign_in)},
            identity=IdentitySettings(embedded_issuer=True),
        ),
        consumers={"page": msgspec.structs.replace(PAGE, client=client)},
        people=PEOPLE,
        url=url,
        database=database,
        fetch=calls.fetch,
        post=calls.post,
    )
    browser = httpx.AsyncClient(transport=httpx.ASGITransport(found.gateway), base_url=url)
    async with found.http, browser:
        form = await browser.get("/toy/deals", headers=HTML, follow_redirects=True)
        chosen = {**fields(form).hidden, "person": "fiona.finance", "decision": "approve"}
        back = await browser.post("/oauth/authorize", data=chosen)
        assert (await browser.get(back.headers["location"])).headers["location"] == "/toy/deals"
        assert "enfilade-toy" in browser.cookies
        assert (await browser.get(READ)).json()["subject"] == "fiona.finance"
        own = {**OWN, "Origin": url}
        answer = await browser.post("/toy/auth/sign-out", headers=own)
        assert answer.json() == {"location": "/toy/"}
        problem(await browser.get(READ), 401, "unauthenticated")
    await found.gateway.close()


@pytest.mark.parametrize(
    ("pages", "fault"),
    [
        ({"a": PageSettings("/apis", "x")}, "a path of the gateway"),
        ({"a": PageSettings("/a", "x"), "b": PageSettings("/a/b", "x")}, "is within pages.a"),
        ({"a": toy(issuer="https://other.test")}, "name one of identity.issuers"),
    ],
)
def test_bundles_have_paths_of_their_own(pages: dict[str, PageSettings], fault: str):
    """Neither the gateway's addresses nor another bundle's are a bundle's, and its issuer is trusted."""
    with pytest.raises(ValueError, match=fault):
        check_pages(pages, {ISSUER})


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        (PageSettings("/toy", "/nowhere"), "there is no index.html"),
        (toy(client_id="nobody"), "there is no consumer"),
        (toy(client_secret="env:NONE"), "NONE is not set"),
        (toy(issuer=""), "redirect_uris"),
    ],
)
def test_a_bundle_that_cannot_be_served_is_refused_at_start(
    keys_folder: Path, database: Database, page: PageSettings, fault: str
):
    """A missing folder, consumer, secret or redirect address is a fault of the configuration."""
    if fault == "redirect_uris":
        page = msgspec.structs.replace(page, path="/other")
    with pytest.raises(SettingsError, match=fault):
        Site(keys_folder, database, page)


def test_a_request_must_say_where_it_comes_from():
    """An unsafe request without Origin and Sec-Fetch-Site is refused, whatever its headers say else."""
    scope = {"method": "POST", "path": "/", "query_string": b"", "headers": [(b"x-requested-by", b"a")]}
    with pytest.raises(Forbidden, match="does not say"):
        check_own_page(Exchange(scope, None), URL)  # pyright: ignore[reportArgumentType]
