"""tests/gateway: conditional reads, and answers kept for their caller alone (RFC 9110, RFC 9111)."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from contracts.events.kinds import CUSTOMER_CHANGED, PROJECT_CREATED
from contracts.problems import Conflict, Unavailable
from gateway.exchange import Exchange, Header, PipelineStep, Reply
from gateway.inventory import Mounted
from gateway.pipeline import GatewaySettings
from gateway.plans import grants
from gateway.policies.cache import CacheSettings
from gateway.policies.cache.conditions import NONE, CacheDirectives
from gateway.policies.cache.store import CacheEntry, Store
from kit import clock, inbox
from kit.database import Database
from tests.gateway.deployment import CONSUMERS, PLANS, Deployment, problem
from tests.gateway.shelf import SECONDS, SHELF, ShelfTier, mounted
from tests.support.databases import keyed

BOOK = f"{SHELF}/books/b-1"
READ = "experience.shelf.read"
STALE, IF_ERROR = 5, 60
# Everybody who may read here with a plain token.
PLAIN = CONSUMERS["ci"].credentials
ALL = [name for name, one in CONSUMERS.items() if grants(one.scopes, READ) and one.credentials == PLAIN]


@pytest.fixture(autouse=True)
def stopped_clock() -> Iterator[None]:
    """Ages are what the test says."""
    clock.set(clock.now())
    yield
    clock.real()


@dataclass
class Library:
    """A deployment with a shelf."""

    deployment: Deployment
    tier: ShelfTier

    async def read(self, path: str = BOOK, consumer: str = "ci", /, **headers: str) -> httpx.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.deployment.call("GET", path, consumer, headers=named)

    async def write(self, path: str = BOOK, consumer: str = "ci") -> httpx.Response:
        return await self.deployment.call("PUT", path, consumer, json={"title": "T"})


@pytest.fixture
async def library(keys_folder: Path) -> AsyncIterator[Library]:
    async with opened(keys_folder) as found:
        yield found


class opened:  # noqa: N801 - reads as a verb
    """A library open for the length of a block."""

    def __init__(
        self,
        folder: Path,
        cache: CacheSettings | None = None,
        change: Callable[[Mounted], Mounted] = lambda shelf: shelf,
        **more: Any,
    ) -> None:
        tier = ShelfTier()
        settings = GatewaySettings(plans=PLANS, cache=cache or CacheSettings())
        self.library = Library(Deployment(folder, settings, apis=(change(mounted(tier)),), **more), tier)

    async def __aenter__(self) -> Library:
        await self.library.deployment.gateway.start()
        return self.library

    async def __aexit__(self, *_: object) -> None:
        await self.library.deployment.http.aclose()
        await self.library.deployment.gateway.close()


async def test_a_kept_answer_is_given_again_and_says_how_old_it_is(library: Library):
    """Within its time the tier is asked once; the answer is private and says its age and validator."""
    first = await library.read()
    clock.advance(4)
    again = await library.read()
    assert first.content == again.content
    assert library.tier.count == 1
    assert again.headers["age"] == "4"
    assert again.headers["cache-control"] == f"private, max-age={SECONDS}"
    assert "age" not in first.headers
    for answer in (first, again):
        assert answer.headers["etag"].startswith('"')
        assert "Authorization" in answer.headers["vary"]
    assert first.headers["correlation-id"] != again.headers["correlation-id"]


async def test_after_its_time_the_floor_is_asked_again(library: Library):
    """Past freshness and past what may be given while a new one comes, the next answer is new."""
    await library.read()
    clock.advance(SECONDS + STALE)
    assert (await library.read()).json()["count"] == 2


async def test_what_the_caller_knows_already_is_not_sent_again(library: Library):
    """304 without a body and without a length of its own, with what the caller needs to go on."""
    etag = (await library.read()).headers["etag"]
    for tags in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = await library.read(if_none_match=tags)
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == etag
        assert {"cache-control", "vary"} <= set(answer.headers)
        assert {"content-length", "content-type"} & set(answer.headers) == set()
    assert (await library.read(if_none_match='"other"')).status_code == 200


async def test_a_read_that_is_not_kept_takes_conditions_too(library: Library):
    """The tier's own version is the validator, and stays strong."""
    path = "/experience/shop/v1/orders/o-1"
    assert (await library.read(path)).headers["etag"] == '"1"'
    assert (await library.read(path, if_none_match='"1"')).status_code == 304
    assert (await library.read(path, if_match='"1"')).status_code == 200
    problem(await library.read(path, if_match='W/"1"'), 412, "stale_version")
    answer = await library.read(path, if_match='"0"', if_none_match='"1"')
    problem(answer, 412, "stale_version")
    gone = await library.read("/experience/shop/v1/orders/gone", if_none_match="*")
    problem(gone, 404, "not_found")


async def test_head_is_the_same_answer_without_its_body(library: Library):
    """HEAD and GET share what is kept."""
    first = await library.read()
    head = await library.deployment.call("HEAD", BOOK)
    assert (head.status_code, head.content, library.tier.count) == (200, b"", 1)
    assert head.headers["content-length"] == str(len(first.content))
    assert head.headers["etag"] == first.headers["etag"]


async def test_a_range_is_not_taken(library: Library):
    """The whole answer is a right answer to a request for a part (RFC 9110 §14.2)."""
    first = await library.read()
    part = await library.read(range="bytes=0-1", if_range=first.headers["etag"])
    assert (part.status_code, part.content) == (200, first.content)


async def test_nobody_gets_what_was_kept_for_another_consumer(library: Library):
    """A probe across consumers always misses, whoever asks first and with whatever validator or directive."""
    for mine, yours in itertools.permutations(ALL, 2):
        book = f"{SHELF}/books/{mine}-{yours}"
        first = await library.read(book, mine)
        problem(await library.read(book, yours, cache_control="only-if-cached"), 504, "not_cached")
        probe = await library.read(book, yours, if_none_match='"x"')
        assert (first.json()["told"], probe.json()["told"]) == (f"{mine}/{mine}", f"{yours}/{yours}")


@pytest.mark.parametrize(
    "other",
    [
        {"subject": "somebody-else"},
        {"scope": "experience.shelf.read"},
        {"customer": "globex"},
        {"entity": "NB-UK"},
        {"department": "a claim that nobody thought of"},
    ],
    ids=str,
)
async def test_nobody_gets_what_was_kept_for_another_person_row_or_right(
    library: Library, other: dict[str, Any]
):
    """Same consumer, other subject, scopes or claims: another answer; another token alone is none."""
    mint = library.deployment.issuer.mint
    counts = []
    for token in [mint("reader"), mint("reader", **other), mint("reader")]:
        headers = {"Authorization": f"Bearer {token}"}
        counts.append((await library.deployment.http.get(BOOK, headers=headers)).json()["count"])
    assert counts == [1, 2, 1]


async def test_the_order_of_a_claims_list_asks_nothing_new(library: Library):
    """A token that lists the same groups, rows and scopes in another order gets what was cached."""
    counts = []
    for forward in (1, -1):
        claims: dict[str, Any] = {
            "entities": ["NB-UK", "NB-US"][::forward],
            "realm_access": {"roles": ["b", "a"][::forward]},
            "groups": [{"id": 1}, {"id": 2}][::forward],
        }
        token = library.deployment.issuer.mint("reader", **claims)
        headers = {"Authorization": f"Bearer {token}"}
        counts.append((await library.deployment.http.get(BOOK, headers=headers)).json()["count"])
    assert counts == [1, 1]


async def test_another_question_is_another_answer(library: Library):
    """Path, query, accepted media types and language are parts of the question."""
    asked = [
        await library.read(),
        await library.read(f"{SHELF}/books/b-2"),
        await library.read(f"{SHELF}/books"),
        await library.read(f"{SHELF}/books?limit=6"),
        await library.read(accept="application/json"),
        await library.read(accept_language="de"),
    ]
    assert [answer.json()["count"] for answer in asked] == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "said", [{"cache_control": "no-cache"}, {"cache_control": "max-age=0"}, {"pragma": "no-cache"}]
)
async def test_whoever_wants_a_new_answer_gets_one(library: Library, said: dict[str, str]):
    """And it is the one that is kept from then on."""
    await library.read()
    assert (await library.read(**said)).json()["count"] == 2
    assert (await library.read()).json()["count"] == 2


async def test_how_old_is_for_the_caller_to_say(library: Library):
    """max-age and min-fresh are bounds; no directive makes an old answer acceptable."""
    await library.read()
    clock.advance(6)
    assert (await library.read(cache_control="max-age=6")).json()["count"] == 1
    assert (await library.read(cache_control="min-fresh=3")).json()["count"] == 1
    assert (await library.read(cache_control="max-age=5")).json()["count"] == 2
    clock.advance(6)
    assert (await library.read(cache_control="min-fresh=5")).json()["count"] == 3
    clock.advance(SECONDS)
    assert (await library.read(cache_control="max-age=3600, max-stale=3600")).json()["count"] == 4
    unreadable = await library.read(cache_control="max-age=soon")
    assert unreadable.json()["count"] == 5, "what cannot be read is the strictest"


async def test_no_store_leaves_nothing_behind(library: Library):
    """What must not be stored is not, and nothing stored is given."""
    for count in (1, 2):
        assert (await library.read(cache_control="no-store")).json()["count"] == count
    problem(await library.read(cache_control="only-if-cached"), 504, "not_cached")


async def test_only_if_cached_asks_no_floor(library: Library):
    """504 unless a fresh answer is kept."""
    problem(await library.read(cache_control="only-if-cached"), 504, "not_cached")
    assert library.tier.count == 0
    await library.read()
    assert (await library.read(cache_control="only-if-cached")).status_code == 200
    clock.advance(SECONDS)
    problem(await library.read(cache_control="only-if-cached"), 504, "not_cached")


async def test_of_a_hundred_at_once_one_goes_to_the_floor(library: Library):
    """A herd of misses is one hop, and each caller has a correlation id of its own."""
    library.tier.gate = asyncio.Event()
    reads = [asyncio.create_task(library.read()) for _ in range(100)]
    await library.tier.entered.wait()
    await waiting(library)
    library.tier.gate.set()
    answers = await asyncio.gather(*reads)
    assert {answer.json()["count"] for answer in answers} == {1}
    assert len({answer.headers["correlation-id"] for answer in answers}) == 100


async def waiting(library: Library) -> None:
    """Until whatever was begun has come as far as it can."""
    for _ in range(200):
        await asyncio.sleep(0)


async def test_a_herd_fails_together_and_each_in_its_own_name(library: Library):
    """A tier that fails is not asked a hundred times; a refusal is told to each with its own id."""
    for failure, status, code in ((Unavailable(), 503, "unavailable"), (Conflict("No"), 409, "conflict")):
        library.tier.gate, library.tier.fail = asyncio.Event(), failure
        library.tier.count = 0
        library.tier.entered.clear()
        reads = [asyncio.create_task(library.read()) for _ in range(20)]
        await library.tier.entered.wait()
        await waiting(library)
        library.tier.gate.set()
        for answer in await asyncio.gather(*reads):
            problem(answer, status, code)
        assert library.tier.count == 1


async def test_the_first_to_come_may_leave(library: Library):
    """A caller that goes away takes nobody with it, and its answer is kept."""
    library.tier.gate = asyncio.Event()
    first = asyncio.create_task(library.read())
    await library.tier.entered.wait()
    others = [asyncio.create_task(library.read()) for _ in range(3)]
    await waiting(library)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    library.tier.gate.set()
    assert {answer.json()["count"] for answer in await asyncio.gather(*others)} == {1}
    assert (await library.read()).json()["count"] == 1


async def test_past_its_time_the_old_answer_is_given_while_one_new_is_fetched(library: Library):
    """Nobody waits, one hop is made for all, and the next caller has the new answer."""
    await library.read()
    clock.advance(SECONDS)
    library.tier.gate = asyncio.Event()
    for _ in range(3):
        stale = await library.read()
        assert (stale.json()["count"], stale.headers["age"]) == (1, str(SECONDS))
    library.tier.gate.set()
    await waiting(library)
    assert (await library.read()).json()["count"] == 2
    assert library.tier.count == 2


async def test_when_the_floor_fails_the_old_answer_is_given_for_a_while(library: Library):
    """Within bounds, never to one who said how old it may be, and never what was outdated."""
    await library.read()
    library.tier.fail = Unavailable()
    clock.advance(SECONDS + STALE)
    stale = await library.read()
    assert (stale.json()["count"], stale.headers["age"]) == (1, str(SECONDS + STALE))
    problem(await library.read(cache_control="no-cache"), 503, "unavailable")
    library.tier.fail = Conflict("No")
    problem(await library.read(), 409, "conflict")
    library.tier.fail = Unavailable()
    clock.advance(IF_ERROR)
    problem(await library.read(), 503, "unavailable")


async def test_a_write_outdates_what_was_kept_of_its_api_for_everybody(library: Library):
    """Whoever reads after the write was answered reads what it wrote, the list included."""
    for path, consumer in ((BOOK, "ci"), (BOOK, "reader"), (f"{SHELF}/books", "reader")):
        assert (await library.read(path, consumer)).json()["edition"] == 0
    await library.write()
    for path, consumer in ((BOOK, "ci"), (BOOK, "reader"), (f"{SHELF}/books", "reader")):
        assert (await library.read(path, consumer)).json()["edition"] == 1


async def test_a_refused_write_outdates_nothing(library: Library):
    """Nothing was written, so nothing is forgotten; nobody empties the cache by asking for nonsense."""
    await library.read()
    assert (await library.write(f"{SHELF}/books/none")).status_code == 404
    assert (await library.read()).json()["count"] == 1


async def test_a_read_that_was_under_way_during_a_write_is_given_to_nobody_after(library: Library):
    """What left before the write is neither kept nor joined."""
    library.tier.gate = asyncio.Event()
    before = asyncio.create_task(library.read())
    await library.tier.entered.wait()
    await library.write()
    after = asyncio.create_task(library.read())
    await waiting(library)
    library.tier.gate.set()
    assert (await before).json()["edition"] == 0
    assert (await after).json()["edition"] == 1
    assert (await library.read()).json()["edition"] == 1


async def test_an_event_outdates_what_it_says(keys_folder: Path, fresh_database_url: str):
    """Written in whatever process: a read that names types hears those, one that names none hears all."""
    database = keyed(fresh_database_url)
    async with opened(keys_folder, database=database) as library:
        listener = library.deployment.gateway._listener
        assert listener is not None
        await listener.close()
        await listener.listen_once()

        async def counts(kind: str) -> tuple[int, int]:
            async with database.begin() as connection:
                await inbox.publish(
                    connection, type=kind, subject="s", key="k", data={}, correlation_id="cor_1"
                )
            await listener.listen_once()
            return (await library.read()).json()["count"], (await library.read(f"{SHELF}/books")).json()[
                "count"
            ]

        assert [(await library.read(path)).json()["count"] for path in (BOOK, f"{SHELF}/books")] == [1, 2]
        assert await counts(PROJECT_CREATED) == (3, 2)
        assert await counts(CUSTOMER_CHANGED) == (4, 5)
    await database.close()


async def test_without_the_database_reads_are_answered_and_kept(keys_folder: Path, tmp_path: Path):
    """Events are not heard; the answer's own time is the bound."""
    nowhere = Database(f"postgresql+psycopg://nobody@/none?host={tmp_path}")
    async with opened(keys_folder, database=nowhere) as library:
        assert [(await library.read()).json()["count"] for _ in range(2)] == [1, 1]
    await nowhere.close()


async def test_with_nothing_to_keep_it_in_nothing_is_kept(keys_folder: Path):
    """Switched off, each read is a hop and its answer not stored by anybody."""
    async with opened(keys_folder, CacheSettings(max_bytes=0)) as library:
        answers = [await library.read() for _ in range(2)]
    assert [answer.json()["count"] for answer in answers] == [1, 2]
    assert answers[0].headers["cache-control"] == "no-store"


@pytest.mark.parametrize("said", [(b"cache-control", b"no-store"), (b"vary", b"*"), (b"vary", b"Cookie")])
async def test_what_the_floor_does_not_want_kept_is_not(keys_folder: Path, said: Header):
    """Its no-store holds, and so does its dependence on what is no part of the question."""

    def saying(shelf: Mounted) -> Mounted:
        def target(name: str) -> PipelineStep:
            step = shelf.target(name)

            async def call(exchange: Exchange) -> Reply:
                reply = await step(exchange)
                reply.headers.append(said)
                return reply

            return call

        return replace(shelf, target=target)

    async with opened(keys_folder, change=saying) as library:
        assert [(await library.read()).json()["count"] for _ in range(2)] == [1, 2]


def test_the_store_is_bound_in_bytes():
    """The least recently asked for leaves first, and what is larger than all is not kept."""
    store = Store(3000)
    for name in (b"a", b"b", b"c"):
        store.put(name, CacheEntry((), bytes(300), 0, 0.0))
    assert store.get(b"a", 0) is not None
    store.put(b"d", CacheEntry((), bytes(300), 0, 0.0))
    assert [name for name in (b"a", b"b", b"c", b"d") if store.get(name, 0)] == [b"a", b"c", b"d"]
    store.put(b"e", CacheEntry((), bytes(4000), 0, 0.0))
    assert (store.get(b"e", 0), store.size) == (None, 2700)
    assert store.get(b"a", 1) is None
    assert store.size == 1800


def test_patience_is_saying_nothing_of_age():
    """Only-if-cached says nothing of it; every bound does."""
    assert NONE.patient
    assert CacheDirectives(only_if_cached=True).patient
    assert not any(
        wish.patient
        for wish in (CacheDirectives(no_cache=True), CacheDirectives(max_age=9), CacheDirectives(min_fresh=1))
    )
