"""tests of kit/http: a rotating refresh token is used once, by one process, and stored before it is used."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from urllib.parse import parse_qs

import pytest
from sqlalchemy import text

from contracts.problems import Unavailable, VendorRejected, VendorUnavailable
from kit import clock, context
from kit.database import Database
from kit.http import Outbound, RefreshToken
from kit.privacy import DerivedKeys
from kit.secret_store import SecretStore
from kit.secrets import Secret
from tests.kit.http.stand import Asked, Reply, Stand

Open = Callable[..., Outbound]
ROOT = Path(__file__).parents[3]
KEYS = DerivedKeys(Secret("m" * 64))


class Rotating:
    """Each refresh token is taken once; one that comes again ends the whole family (RFC 9700 §4.14)."""

    def __init__(self, stand: Stand) -> None:
        self.refresh, self.access = "r0", ""
        self.granted = 0
        self.revoked = False
        self.lose_next = False
        self.before_answer: Callable[[], asyncio.Future[None]] | None = None
        stand.answer = self.answer

    async def answer(self, asked: Asked) -> Reply:
        if asked.path != "/token":
            good = asked.headers.get("authorization") == f"Bearer {self.access}" and not self.revoked
            return Reply() if good else Reply(401)
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        assert (form["grant_type"], form["client_id"], form["client_secret"]) == ("refresh_token", "me", "s")
        if self.revoked or form["refresh_token"] != self.refresh:
            self.revoked = True
            return Reply(400, body=b'{"error":"invalid_grant"}')
        self.granted += 1
        self.refresh, self.access = f"r{self.granted}", f"a{self.granted}"
        if self.before_answer is not None:
            await self.before_answer()
        if self.lose_next:
            self.lose_next = False
            return Reply(drop=True)
        body = f'{{"access_token":"{self.access}","refresh_token":"{self.refresh}","expires_in":1800}}'
        return Reply(body=body.encode())

    def authorise_again(self) -> str:
        self.revoked, self.refresh = False, f"new{self.granted}"
        return self.refresh


@pytest.fixture
async def other_database(fresh_database_url: str) -> AsyncIterator[Database]:
    """As another process would hold it: with sessions of its own."""
    database = Database(fresh_database_url)
    yield database
    await database.close()


def grant(
    stand: Stand, database: Database, first: str = "r0", settle: float = 5, rest: float = 0
) -> RefreshToken:
    return RefreshToken(
        f"{stand.url}/token",
        name="shop-main",
        client_id="me",
        client_secret=Secret("s"),
        first=Secret(first),
        store=SecretStore(database, KEYS),
        settle=settle,
        rest=rest,
    )


async def test_one_refresh_over_all_processes(
    stand: Stand, client: Open, database: Database, other_database: Database
) -> None:
    """Forty first calls of two processes refresh once, and once more when the token is refused."""
    shop = Rotating(stand)
    outbounds = [client(auth=grant(stand, each)) for each in (database, other_database)]
    await asyncio.gather(*(outbounds[n % 2].send("GET", "/x") for n in range(40)))
    assert shop.granted == 1
    shop.access = "nobody has it"
    await asyncio.gather(*(outbounds[n % 2].send("GET", "/x") for n in range(40)))
    assert shop.granted == 2
    assert not shop.revoked


async def test_a_restart_uses_the_stored_token(stand: Stand, client: Open, database: Database) -> None:
    """A process that starts later uses the stored access token, and the rotated refresh token after it."""
    shop = Rotating(stand)
    await client(auth=grant(stand, database)).send("GET", "/x")
    later = client(auth=grant(stand, database))
    await later.send("GET", "/x")
    assert shop.granted == 1
    try:
        clock.advance(1800)
        await client(auth=grant(stand, database)).send("GET", "/x")
    finally:
        clock.real()
    assert (shop.granted, shop.revoked) == (2, False)


async def test_a_caller_who_leaves(stand: Stand, client: Open, database: Database) -> None:
    """A caller whose time is over while the vendor rotates does not lose the new token."""
    shop = Rotating(stand)
    release: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    shop.before_answer = lambda: release
    outbound = client(auth=grant(stand, database))
    with context.use(context.Context("c")), context.within(0.3), pytest.raises(VendorUnavailable):
        await outbound.send("GET", "/x")
    leaving = asyncio.create_task(outbound.send("GET", "/x"))
    await asyncio.sleep(0)
    leaving.cancel()
    release.set_result(None)
    await outbound.send("GET", "/x")
    assert (shop.granted, shop.revoked) == (1, False)


async def test_an_answer_that_was_lost(stand: Stand, client: Open, database: Database) -> None:
    """After the vendor has rotated and nothing was stored, the remedy is to authorise again."""
    shop = Rotating(stand)
    shop.lose_next = True
    outbound = client(auth=grant(stand, database, settle=0.2))
    with pytest.raises(VendorRejected) as caught:  # the outbound client tries again by itself
        await outbound.send("GET", "/x")
    assert "ended before the vendor's answer was stored" in caught.value.detail
    assert "authorise Enfilade again" in caught.value.detail
    first = shop.authorise_again()
    await client(auth=grant(stand, database, first)).send("GET", "/x")
    assert not shop.revoked


KILLED = """
import asyncio, sys
from kit.database import Database
from kit.http import Outbound
from tests.kit.http.stand import Stand
from tests.kit.http.test_refresh import grant

async def main():
    stand = Stand(sys.argv[1], [])
    auth = grant(stand, Database(sys.argv[2]))
    async with Outbound(instance="shop-main", base_url=stand.url, auth=auth) as outbound:
        await outbound.send("GET", "/x")

asyncio.run(main())
"""


@pytest.mark.whole
async def test_killed_between_rotation_and_storage(
    stand: Stand, client: Open, database: Database, fresh_database_url: str
) -> None:
    """A process that is killed while the vendor rotates leaves a mark by which the next knows why."""
    shop = Rotating(stand)
    release: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    shop.before_answer = lambda: release
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", KILLED, stand.url, fresh_database_url, cwd=ROOT
    )
    await asyncio.wait_for(stand.seen(1), 60)
    process.kill()
    await process.wait()
    release.set_result(None)
    with pytest.raises(VendorRejected, match="ended before the vendor's answer was stored"):
        await client(auth=grant(stand, database, settle=0.5)).send("GET", "/x")
    first = shop.authorise_again()
    await client(auth=grant(stand, database, first, settle=0.5)).send("GET", "/x")


async def test_a_revoked_token(stand: Stand, client: Open, database: Database) -> None:
    """A token that the vendor revoked is told so, in other words, with the same remedy."""
    shop = Rotating(stand)
    shop.revoked = True
    outbound = client(auth=grant(stand, database, rest=60))
    for _ in range(2):  # the second answer is given without the vendor
        with pytest.raises(VendorRejected) as caught:
            await outbound.send("GET", "/x")
        assert "expired or was revoked" in caught.value.detail
        assert caught.value.detail.count("authorise Enfilade again") == 1
    assert len(stand.asked) == 1


async def test_stored_before_it_is_used(stand: Stand, client: Open, database: Database) -> None:
    """While the database takes nothing, no call is made with the new token; afterwards it is stored."""
    shop = Rotating(stand)
    release: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    shop.before_answer = lambda: release
    outbound = client(auth=grant(stand, database))
    calling = asyncio.create_task(outbound.send("GET", "/x"))
    await stand.seen(1)
    async with database.engine.connect() as blocker:
        await blocker.execute(text("LOCK TABLE enfilade.stored_secrets IN EXCLUSIVE MODE"))
        release.set_result(None)
        await asyncio.wait({calling}, timeout=0.3)
        assert not calling.done()
        assert [asked.path for asked in stand.asked] == ["/token"]
    await calling
    stored = await SecretStore(database, KEYS).names("login:")
    assert stored == ["login:shop-main"]
    assert [asked.path for asked in stand.asked] == ["/token", "/x"]


async def test_without_a_database(stand: Stand, client: Open) -> None:
    """Where nothing can be stored the vendor is not asked."""
    Rotating(stand)
    database = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with pytest.raises(Unavailable):
        await client(auth=grant(stand, database)).send("GET", "/x")
    assert stand.asked == []
    await database.close()
