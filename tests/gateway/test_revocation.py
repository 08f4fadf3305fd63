"""tests/gateway: revocation: of a token, of a consumer's, of a person's, at every gateway within seconds."""

import asyncio
import datetime as dt
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, select

from gateway import tables
from gateway.identity import revocation
from gateway.pipeline import GatewaySettings
from gateway.policies.identity import IdentitySettings
from kit.database import Database
from tests.gateway.deployment import PLANS, URL, Deployment, problem
from tests.gateway.forge import ORDERS

SETTINGS = GatewaySettings(plans=PLANS, identity=IdentitySettings(refresh_seconds=0.05))


@pytest.fixture
async def doors(keys_folder: Path, database: Database) -> AsyncIterator[tuple[Deployment, Deployment]]:
    """Two replicas on one database, with nothing revoked."""
    async with database.begin() as connection:
        await connection.execute(delete(tables.revocations))
    found = (
        Deployment(keys_folder, SETTINGS, database=database),
        Deployment(keys_folder, SETTINGS, database=database),
    )
    for deployment in found:
        await deployment.gateway.start()
    yield found
    for deployment in found:
        await deployment.gateway.close()


async def revoke(database: Database, kind: revocation.Kind, name: str, **more: Any) -> revocation.Revocation:
    async with database.begin() as connection:
        return await revocation.revoke(connection, kind=kind, name=name, by="test", **more)


async def status(deployment: Deployment, token: str) -> int:
    answer = await deployment.call("GET", ORDERS, "", headers={"Authorization": f"Bearer {token}"})
    if answer.status_code == 401:
        assert problem(answer, 401, "invalid_token")["detail"] == "The token was revoked"
    return answer.status_code


async def until_refused(deployment: Deployment, token: str) -> None:
    async with asyncio.timeout(20):
        while await status(deployment, token) != 401:  # noqa: ASYNC110 - seen over HTTP only
            await asyncio.sleep(0.02)


@pytest.mark.parametrize(
    ("kind", "name"), [("token", "j-gone"), ("subject", "leaver@example.com"), ("consumer", "screen")]
)
async def test_what_is_revoked_is_refused_at_every_door_within_seconds(
    doors: tuple[Deployment, Deployment], database: Database, kind: revocation.Kind, name: str
):
    """A token that both gateways believed, and remember, holds at neither."""
    gone = doors[0].issuer.mint("screen", subject="leaver@example.com", jti="j-gone")
    kept = doors[0].issuer.mint("ci", subject="stayer@example.com")
    for deployment in doors:
        assert (await status(deployment, gone), await status(deployment, kept)) == (200, 200)
    await revoke(database, kind, name)
    for deployment in doors:
        await until_refused(deployment, gone)
        assert await status(deployment, kept) == 200


async def test_a_token_issued_after_the_instant_holds(
    doors: tuple[Deployment, Deployment], database: Database
):
    """Who signs in again after all tokens were revoked is let in."""
    deployment, now = doors[0], int(time.time())
    old = deployment.issuer.mint("ci", subject="mover@example.com", iat=now - 20)
    new = deployment.issuer.mint("ci", subject="mover@example.com", iat=now - 5)
    instant = dt.datetime.fromtimestamp(now - 10, dt.UTC)
    await revoke(database, "subject", "mover@example.com", issued_before=instant)
    await until_refused(deployment, old)
    assert await status(deployment, new) == 200


async def test_a_revocation_may_be_of_one_issuers_tokens_alone(
    doors: tuple[Deployment, Deployment], database: Database
):
    """Two issuers may give the same id or the same subject to different people."""
    deployment = doors[0]
    token = deployment.issuer.mint("ci", subject="twin", jti="j-twin")
    await revoke(database, "token", "j-twin", issuer="https://elsewhere.test")
    await revoke(database, "subject", "twin", issuer="https://elsewhere.test")
    register = deployment.gateway.credential_status
    assert register is not None
    await register.refresh()
    assert await status(deployment, token) == 200
    await revoke(database, "token", "j-twin", issuer=URL)
    await until_refused(deployment, token)


async def test_a_revocation_is_forgotten_when_no_token_can_be_left(database: Database):
    """Rows stay for the longest life of a token and a margin, and the next revocation takes them away."""
    made = await revoke(database, "token", "j-old", longest_seconds=3600)
    assert (made.forget_at - made.revoked_at).total_seconds() == 3900
    async with database.begin() as connection:
        past = tables.revocations.update().where(tables.revocations.c.id == made.id)
        await connection.execute(past.values(forget_at=made.revoked_at - dt.timedelta(days=1)))
        assert made.id not in [each.id for each in await revocation.active_revocations(connection)]
    await revoke(database, "token", "j-new")
    async with database.connect() as connection:
        left = (await connection.execute(select(tables.revocations.c.id))).scalars().all()
    assert made.id not in left


async def test_no_token_outlives_what_a_revocation_remembers(deployment: Deployment):
    """A token that was given for longer than the longest life is refused from the start."""
    now = int(time.time())
    token = deployment.issuer.mint("ci", iat=now, exp=now + 86_401)
    answer = await deployment.call("GET", ORDERS, "", headers={"Authorization": f"Bearer {token}"})
    assert "longer" in problem(answer, 401, "invalid_token")["detail"]


async def test_a_change_forgets_only_what_it_concerns(
    doors: tuple[Deployment, Deployment], database: Database
):
    """A revocation does not make the gateway verify everybody's token again."""
    deployment = doors[0]
    remembered = _remembered(deployment)
    gone, kept = deployment.issuer.mint("ci", jti="j-one"), deployment.issuer.mint("ci", jti="j-two")
    assert (await status(deployment, gone), await status(deployment, kept)) == (200, 200)
    await revoke(database, "token", "j-one")
    await until_refused(deployment, gone)
    assert list(remembered) == [f"Bearer {kept}".encode()]


def _remembered(deployment: Deployment) -> dict[bytes, Any]:
    """What the gateway's identity policy believes unasked."""
    register = deployment.gateway.credential_status
    assert register is not None
    evict_revoked: Any = register._notify
    return evict_revoked.__self__._known
