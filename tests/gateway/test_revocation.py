"""tests/gateway: revocation: of a token, of a consumer's, of a person's, at every door within seconds."""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from gateway.identity import revocation
from gateway.pipeline import Settings
from gateway.policies.identity import Settings as IdentitySettings
from kit.database import Database, tables
from tests.gateway.forge import ORDERS
from tests.gateway.house import PLANS, URL, House, problem

SETTINGS = Settings(rate_limit=PLANS, identity=IdentitySettings(refresh_seconds=0.05))


@pytest.fixture
async def doors(keys_folder: Path, database: Database) -> AsyncIterator[tuple[House, House]]:
    """Two replicas on one database, with nothing revoked."""
    async with database.begin() as connection:
        await connection.execute(delete(tables.revocations))
    found = (
        House(keys_folder, SETTINGS, database=database),
        House(keys_folder, SETTINGS, database=database),
    )
    for house in found:
        await house.gateway.start()
    yield found
    for house in found:
        await house.gateway.close()


async def revoke(database: Database, kind: revocation.Kind, name: str, **more: Any) -> revocation.Revocation:
    async with database.begin() as connection:
        return await revocation.revoke(connection, kind=kind, name=name, by="test", **more)


async def status(house: House, token: str) -> int:
    answer = await house.call("GET", ORDERS, "", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code == 401:
        assert problem(answer, 401, "invalid_token")["detail"] == "The token was revoked"
    return answer.status_code


async def until_refused(house: House, token: str) -> None:
    async with asyncio.timeout(3):
        while await status(house, token) != 401:  # noqa: ASYNC110 - seen over HTTP only
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("kind", "name"), [("token", "j-gone"), ("subject", "leaver@example.com"), ("consumer", "screen")]
)
async def test_what_is_revoked_is_refused_at_every_door_within_seconds(
    doors: tuple[House, House], database: Database, kind: revocation.Kind, name: str
):
    """A token that both doors believed, and remember, holds at neither."""
    gone = doors[0].issuer.mint("screen", subject="leaver@example.com", jti="j-gone")
    kept = doors[0].issuer.mint("ci", subject="stayer@example.com")
    for house in doors:
        assert (await status(house, gone), await status(house, kept)) == (200, 200)
    await revoke(database, kind, name)
    for house in doors:
        await until_refused(house, gone)
        assert await status(house, kept) == 200


async def test_a_token_issued_after_the_instant_holds(doors: tuple[House, House], database: Database):
    """Who signs in again after all tokens were revoked is let in."""
    house, now = doors[0], int(time.time())
    old = house.issuer.mint("ci", subject="mover@example.com", iat=now - 20)
    new = house.issuer.mint("ci", subject="mover@example.com", iat=now - 5)
    instant = dt.datetime.fromtimestamp(now - 10, dt.UTC)
    await revoke(database, "subject", "mover@example.com", issued_before=instant)
    await until_refused(house, old)
    assert await status(house, new) == 200


async def test_a_revocation_may_be_of_one_issuers_tokens_alone(
    doors: tuple[House, House], database: Database
):
    """Two issuers may give the same id or the same subject to different people."""
    house = doors[0]
    token = house.issuer.mint("ci", subject="twin", jti="j-twin")
    await revoke(database, "token", "j-twin", issuer="https://elsewhere.test")
    await revoke(database, "subject", "twin", issuer="https://elsewhere.test")
    register = house.gateway.register
    assert register is not None
    await register.refresh()
    assert await status(house, token) == 200
    await revoke(database, "token", "j-twin", issuer=URL)
    await until_refused(house, token)


async def test_a_revocation_is_forgotten_when_no_token_can_be_left(database: Database):
    """Rows stay for the longest life of a token and a margin, and the next revocation takes them away."""
    made = await revoke(database, "token", "j-old", longest_seconds=3600)
    assert (made.forget_at - made.revoked_at).total_seconds() == 3900
    async with database.begin() as connection:
        past = tables.revocations.update().where(tables.revocations.c.id == made.id)
        await connection.execute(past.values(forget_at=made.revoked_at - dt.timedelta(days=1)))
        assert made.id not in [each.id for each in await revocation.in_force(connection)]
    await revoke(database, "token", "j-new")
    async with database.connect() as connection:
        left = (await connection.execute(select(tables.revocations.c.id))).scalars().all()
    assert made.id not in left


async def test_no_token_outlives_what_a_revocation_remembers(house: House):
    """A token that was given for longer than the longest life is refused from the start."""
    now = int(time.time())
    token = house.issuer.mint("ci", iat=now, exp=now + 86_401)
    answer = await house.call("GET", ORDERS, "", headers={"Authorization": f"Bearer {token}"})
    assert "longer" in problem(answer, 401, "invalid_token")["detail"]


async def test_a_change_forgets_only_what_it_concerns(doors: tuple[House, House], database: Database):
    """A revocation does not make the door verify everybody's token again."""
    house = doors[0]
    remembered = _remembered(house)
    gone, kept = house.issuer.mint("ci", jti="j-one"), house.issuer.mint("ci", jti="j-two")
    assert (await status(house, gone), await status(house, kept)) == (200, 200)
    await revoke(database, "token", "j-one")
    await until_refused(house, gone)
    assert list(remembered) == [f"Bearer {kept}".encode()]


def _remembered(house: House) -> dict[bytes, Any]:
    """What the door's identity policy believes unasked."""
    register = house.gateway.register
    assert register is not None
    sift: Any = register._tell
    return sift.__self__._known
