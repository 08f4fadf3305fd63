"""tests/gateway: API keys: made once, stored as a hash, two at a time, known everywhere within seconds."""

import asyncio
import datetime as dt
import hashlib
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import delete, select

from contracts.problems import NotFound, TooManyKeys
from gateway import tables
from gateway.identity import CredentialStatus, api_keys
from gateway.pipeline import GatewaySettings
from gateway.policies.identity import IdentitySettings
from kit.database import Database
from tests.gateway.deployment import CONSUMERS, PLANS, URL, Deployment, problem
from tests.gateway.forge import ORDERS

IDENTITY = IdentitySettings(api_keys="test", refresh_seconds=0.05)


def settings(**more: Any) -> GatewaySettings:
    return GatewaySettings(plans=PLANS, identity=msgspec.structs.replace(IDENTITY, **more))


@pytest.fixture
async def door(keys_folder: Path, database: Database) -> AsyncIterator[Deployment]:
    """A gateway that takes test keys; no key is there at first."""
    async with database.begin() as connection:
        await connection.execute(delete(tables.api_keys))
    found = Deployment(keys_folder, settings(), database=database)
    await found.gateway.start()
    async with found.http:
        yield found
    await found.gateway.close()


async def make(database: Database, consumer: str = "ci", **more: Any) -> tuple[api_keys.StoredApiKey, str]:
    async with database.begin() as connection:
        return await api_keys.create(connection, consumer=consumer, kind="test", by="test", **more)


async def call(deployment: Deployment, key: str, path: str = ORDERS) -> httpx.Response:
    return await deployment.call("GET", path, "", headers={"Authorization": f"Bearer {key}"})


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a condition; a busy machine takes longer than the interval of 0.05 s."""
    async with asyncio.timeout(20):
        while not await condition():  # noqa: ASYNC110 - seen over HTTP only
            await asyncio.sleep(0.02)


async def until_status(deployment: Deployment, key: str, status: int) -> None:
    async def reached() -> bool:
        return (await call(deployment, key)).status_code == status

    await until(reached)


async def test_a_key_has_its_kind_in_front_and_is_kept_as_a_hash(database: Database):
    """The text is shown once; the row holds its SHA-256 and the prefix by which people know it."""
    made, key = await make(database, "screen", title="nightly job")
    assert re.fullmatch(r"enf_test_[0-9a-f]{72}", key)
    assert (made.prefix, made.kind, made.title) == (key[:17], "test", "nightly job")
    async with database.connect() as connection:
        row = (await connection.execute(select(tables.api_keys).where(tables.api_keys.c.id == made.id))).one()
    assert row.hash == hashlib.sha256(key.encode()).hexdigest()
    assert key[17:] not in str(row)


async def test_a_key_speaks_for_its_consumer_with_what_that_was_granted(door: Deployment, database: Database):
    """Scopes, claims and roles are the consumer's own, whatever any token would have said."""
    _, key = await make(database, "partner")
    await until_status(door, key, 200)
    answer = await call(door, key)
    assert (answer.json()["subject"], answer.json()["consumer"]) == ("partner", "partner")
    assert (await call(door, key, "/experience/shop/v1/customers/acme")).status_code == 200
    assert (await call(door, key, "/experience/shop/v1/customers/globex")).status_code == 403
    problem(await call(door, key, "/process/works/v1/works/w-1"), 403, "audience_forbidden")


async def test_a_key_may_be_narrower_than_its_consumer_and_never_wider(door: Deployment, database: Database):
    """A key's scopes count only as far as its consumer was granted them."""
    _, narrow = await make(database, "ci", scopes=("experience.*.read",))
    _, wide = await make(database, "screen", scopes=("*.*.*",))
    await until_status(door, narrow, 200)
    await until_status(door, wide, 200)
    problem(await call(door, narrow, "/process/works/v1/works/w-1"), 403, "insufficient_scope")
    problem(await call(door, wide, "/process/works/v1/works/w-1"), 403, "insufficient_scope")


async def test_a_consumer_has_two_live_keys_and_no_third(door: Deployment, database: Database):
    """For rotation two overlap; a third is refused until one of them is revoked or has expired."""
    (first, one), (_, two) = await make(database), await make(database)
    with pytest.raises(TooManyKeys, match="ci has 2 live keys"):
        await make(database)
    await until_status(door, one, 200)
    await until_status(door, two, 200)
    async with database.begin() as connection:
        await api_keys.revoke_key(connection, first.id, by="test")
    _, three = await make(database)
    await until_status(door, three, 200)
    await until_status(door, one, 401)
    assert (await call(door, two)).status_code == 200


async def test_two_who_make_the_last_key_at_once_make_one(database: Database):
    """The count of live keys holds under concurrency."""
    async with database.begin() as connection:
        await connection.execute(delete(tables.api_keys))
    made = await asyncio.gather(*(make(database) for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(each, TooManyKeys) for each in made) == 3


async def test_a_revoked_key_is_refused_everywhere_within_seconds(
    door: Deployment, keys_folder: Path, database: Database
):
    """Two gateways on one database: what is revoked at neither of them is refused at both."""
    other = Deployment(keys_folder, settings(), database=database)
    await other.gateway.start()
    made, key = await make(database)
    for deployment in (door, other):
        await until_status(deployment, key, 200)
    async with database.begin() as connection:
        await api_keys.revoke_key(connection, made.id, by="test")
    for deployment in (door, other):
        await until_status(deployment, key, 401)
    await other.gateway.close()


async def test_an_expired_key_is_refused_at_its_instant(door: Deployment, database: Database):
    """Expiry needs no change in the database to be seen."""
    soon = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=0.5)
    _, key = await make(database, expires_at=soon)
    await until_status(door, key, 200)
    await until_status(door, key, 401)
    assert time.time() >= soon.timestamp()


async def test_the_other_kind_is_refused_with_a_clear_sentence(door: Deployment):
    """A live key at a deployment that takes test keys is told so, before anybody looks it up."""
    found = problem(await call(door, api_keys.new_key("live")[0]), 401, "invalid_token")
    assert found["detail"] == "This deployment accepts test keys, and a live key was sent"


async def test_where_no_kind_is_configured_no_key_is_taken(keys_folder: Path, database: Database):
    """Unconfigured means absent."""
    closed = Deployment(keys_folder, settings(api_keys=None), database=database)
    await closed.gateway.start()
    found = problem(await call(closed, api_keys.new_key("test")[0]), 401, "invalid_token")
    assert found["detail"] == "API keys are not accepted here"
    await closed.gateway.close()


async def test_the_last_use_is_written_later_and_without_a_call_per_request(
    door: Deployment, database: Database
):
    """Uses are gathered in memory; one write keeps the newest, and an older one never replaces it."""
    made, key = await make(database)
    await until_status(door, key, 200)
    register = door.gateway.credential_status
    assert register is not None
    before = await _last_used(database, made.id)
    assert before is None
    await register.write_used()
    written = await _last_used(database, made.id)
    assert written is not None
    async with database.begin() as connection:
        await api_keys.note_used(connection, {made.id: 1000.0})
    assert await _last_used(database, made.id) == written


async def _last_used(database: Database, key_id: str) -> dt.datetime | None:
    async with database.connect() as connection:
        asked = select(tables.api_keys.c.last_used_at).where(tables.api_keys.c.id == key_id)
        return (await connection.execute(asked)).scalar_one()


async def test_a_call_asks_no_database(door: Deployment, database: Database, tmp_path: Path):
    """What was read once answers every call, also when nobody could read it again."""
    _, key = await make(database)
    await until_status(door, key, 200)
    await door.gateway.close()
    register: Any = door.gateway.credential_status
    register._database = Database(f"postgresql+psycopg://nobody@/none?host={tmp_path}")
    for other in (key, api_keys.new_key("test")[0]):
        assert (await call(door, other)).status_code == (200 if other == key else 401)


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_without_the_database_keys_hold_for_a_while_and_then_fail_closed(
    keys_folder: Path, database: Database
):
    """Beyond the stated time nobody knows who was revoked: 503, for what was believed a moment ago too."""
    _, key = await make(database, "screen")
    deployment, clock = Deployment(keys_folder, settings(), database=database), Clock()
    register = deployment.gateway.credential_status
    assert register is not None
    register._clock = clock
    problem(await call(deployment, key), 503, "unavailable")
    await register.refresh()
    assert (await call(deployment, key)).status_code == 200
    clock.now = 59
    assert (await call(deployment, key)).status_code == 200
    clock.now = 61
    register._notify()
    answer = await call(deployment, key)
    problem(answer, 503, "unavailable")
    assert answer.headers["retry-after"] == "1"
    problem(await deployment.call("GET", ORDERS), 503, "unavailable")
    await register.refresh()
    assert (await call(deployment, key)).status_code == 200
    assert (await deployment.call("GET", ORDERS)).status_code == 200


async def test_tokens_may_be_believed_without_the_register_where_that_is_the_stance(
    keys_folder: Path, database: Database
):
    """`stale_tokens` says whether tokens whose revocation nobody can know are refused or believed."""
    deployment, clock = Deployment(keys_folder, settings(stale_tokens="believe"), database=database), Clock()
    register = deployment.gateway.credential_status
    assert register is not None
    register._clock = clock
    clock.now = 61
    assert (await deployment.call("GET", ORDERS)).status_code == 200
    problem(await call(deployment, api_keys.new_key("test")[0]), 503, "unavailable")


async def test_a_door_that_loses_its_database_notices_by_itself(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
):
    """What was remembered is forgotten when the register grows too old; one line of the log tells why."""
    register = CredentialStatus(database, refresh=0.02, stale=0.2)
    told = asyncio.Event()
    await register.start()
    register.watch(told.set)
    nowhere = Database(f"postgresql+psycopg://nobody@/none?host={tmp_path}")
    register._database = nowhere
    async with asyncio.timeout(5):
        await told.wait()
    assert not register.fresh
    assert caplog.text.count("identity not refreshed") == 1
    register._database = database
    await register.close()


async def test_an_unknown_key_is_not_found(database: Database):
    """To revoke what is not there is told."""
    with pytest.raises(NotFound, match="There is no key key_none"):
        async with database.begin() as connection:
            await api_keys.revoke_key(connection, "key_none", by="test")


async def test_the_challenge_of_a_key_is_a_bearers(door: Deployment):
    """A key is a bearer credential (RFC 6750)."""
    answer = await call(door, api_keys.new_key("test")[0])
    assert answer.headers["www-authenticate"].startswith(f'Bearer realm="enfilade", resource_metadata="{URL}')
    assert CONSUMERS["ci"].credentials == ("bearer", "dpop", "mtls", "api_key")
