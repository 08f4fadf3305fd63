"""tests/gateway: the admin API of API keys and revocation."""

import datetime as dt
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from gateway.pipeline import GatewaySettings
from gateway.policies.identity import IdentitySettings
from gateway.tables import api_keys, revocations
from kit import privacy
from kit.audit.tables import audit
from kit.database import Database, tables
from tests.gateway.deployment import PLANS, Deployment, pointers, problem
from tests.gateway.forge import ORDERS


@pytest.fixture
async def desk(keys_folder: Path, database: Database) -> AsyncIterator[Deployment]:
    """A deployment whose keys and revocations are administrated; there are none at first."""
    async with database.begin() as connection:
        await connection.execute(delete(api_keys))
        await connection.execute(delete(revocations))
    settings = GatewaySettings(plans=PLANS, identity=IdentitySettings(api_keys="test"))
    found = Deployment(keys_folder, settings, database=database)
    await found.gateway.start()
    async with found.http, found.internal:
        yield found
    await found.gateway.close()


async def read(deployment: Deployment, credential: str) -> int:
    answer = await deployment.call("GET", ORDERS, "", headers={"Authorization": f"Bearer {credential}"})
    return answer.status_code


async def test_a_key_is_made_shown_once_used_and_revoked(desk: Deployment, database: Database):
    """Its text is in one answer and nowhere else; it holds at once, and once revoked no more."""
    wanted = {"consumer": "ci", "title": "import", "scopes": ["experience.*.read"], "expires_in_days": 90}
    answer = await desk.administer("POST", "/keys/keys", json=wanted)
    assert (answer.status_code, answer.headers["cache-control"]) == (201, "no-store")
    made, text = answer.json()["key"], answer.json()["text"]
    assert await read(desk, text) == 200
    listed = await desk.administer("GET", "/keys/keys?consumer=ci")
    assert [key["id"] for key in listed.json()["items"]] == [made["id"]]
    assert text[17:] not in listed.text
    days = dt.datetime.fromisoformat(made["expires_at"]) - dt.datetime.fromisoformat(made["made_at"])
    assert (round(days / dt.timedelta(days=1)), made["made_by"], made["prefix"], made["holds"]) == (
        90,
        "platform",
        text[:17],
        True,
    )
    revoked = await desk.administer("DELETE", f"/keys/keys/{made['id']}")
    assert (revoked.json()["revoked_by"], revoked.json()["holds"]) == ("platform", False)
    assert await read(desk, text) == 401
    again = await desk.administer("DELETE", f"/keys/keys/{made['id']}")
    assert again.json()["revoked_at"] == revoked.json()["revoked_at"]
    async with database.connect() as connection:
        kept = (await connection.execute(select(tables.idempotency_keys.c.body))).scalars().all()
    assert [body for body in kept if body and text.encode() in body] == []


async def test_each_change_is_in_the_audit_with_who_did_it(desk: Deployment, database: Database):
    """Made, revoked, tokens revoked: actor, subject and reason, and no secret."""
    made = (await desk.administer("POST", "/keys/keys", json={"consumer": "ci"})).json()
    await desk.administer("DELETE", f"/keys/keys/{made['key']['id']}")
    wanted = {"kind": "subject", "name": "pat", "reason": "left the firm"}
    await desk.administer("POST", "/keys/revocations", json=wanted)
    async with database.connect() as connection:
        asked = select(audit).where(audit.c.action.like("gateway.%"))
        rows = (await connection.execute(asked.order_by(audit.c.at))).all()[-3:]
        pat = await privacy.of(connection).find(connection, "pat")
    assert [(row.action, row.actor, row.subject) for row in rows] == [
        ("gateway.key.made", "platform", "ci"),
        ("gateway.key.revoked", "platform", "ci"),
        ("gateway.tokens.revoked", "platform", pat),
    ]
    assert rows[2].detail["reason"] == "left the firm"
    assert made["text"][17:] not in str(rows)


async def test_what_cannot_be_made_is_refused_with_every_reason(desk: Deployment):
    """Unknown consumers, grants that it lacks, consumers that must prove themselves, and a third key."""
    problem(await desk.administer("POST", "/keys/keys", json={"consumer": "nobody"}), 404, "not_found")
    wide = {"consumer": "screen", "scopes": ["experience.shop.read", "process.*.read", "*.*.*"]}
    found = problem(await desk.administer("POST", "/keys/keys", json=wide), 422, "invalid")
    assert pointers(found) == {"/scopes/1", "/scopes/2"}
    found = problem(await desk.administer("POST", "/keys/keys", json={"consumer": "sealed"}), 422, "invalid")
    assert pointers(found) == {"/consumer"}
    for _ in range(2):
        assert (await desk.administer("POST", "/keys/keys", json={"consumer": "ci"})).status_code == 201
    problem(await desk.administer("POST", "/keys/keys", json={"consumer": "ci"}), 409, "too_many_keys")
    problem(await desk.administer("DELETE", "/keys/keys/key_none"), 404, "not_found")


async def test_where_no_keys_are_taken_none_is_made(kept: Deployment):
    """A key that nobody would take is not given out."""
    problem(await kept.administer("POST", "/keys/keys", json={"consumer": "ci"}), 409, "conflict")


async def test_without_a_database_there_is_no_register(deployment: Deployment):
    """A gateway that keeps nothing says so."""
    problem(await deployment.administer("GET", "/keys/keys"), 503, "unavailable")
    problem(await deployment.administer("GET", "/keys/revocations"), 503, "unavailable")


@pytest.mark.parametrize(("kind", "name"), [("token", "j-adm"), ("consumer", "screen"), ("subject", "pat")])
async def test_tokens_are_revoked_and_listed(desk: Deployment, kind: str, name: str):
    """The gateway that was asked knows at once; the list tells what is in force and until when."""
    token = desk.issuer.mint("screen", subject="pat", jti="j-adm")
    assert await read(desk, token) == 200
    wanted = {"kind": kind, "name": name, "reason": "a laptop was lost"}
    made = await desk.administer("POST", "/keys/revocations", json=wanted)
    assert made.status_code == 201, made.text
    assert await read(desk, token) == 401
    listed = (await desk.administer("GET", "/keys/revocations")).json()["items"]
    assert [(one["id"], one["kind"], one["name"], one["revoked_by"]) for one in listed] == [
        (made.json()["id"], kind, name, "platform")
    ]


@pytest.mark.parametrize("told", ["", "yesterday", "2026-01-01", "2026-01-01T00:00:00"])
async def test_an_instant_says_where_on_earth(desk: Deployment, told: str):
    """What is no instant is told where it stands, as by the document; a local time is none."""
    wanted = {"kind": "subject", "name": "pat", "reason": "because", "issued_before": told}
    found = problem(await desk.administer("POST", "/keys/revocations", json=wanted), 422, "invalid")
    assert pointers(found) == {"/issued_before"}


async def test_the_future_cannot_be_revoked(desk: Deployment):
    """An instant ahead would lock out whoever signs in again."""
    later = (dt.datetime.now(dt.UTC) + dt.timedelta(hours=1)).isoformat()
    wanted = {"kind": "subject", "name": "pat", "reason": "because", "issued_before": later}
    found = problem(await desk.administer("POST", "/keys/revocations", json=wanted), 422, "invalid")
    assert pointers(found) == {"/issued_before"}


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/keys/keys"), ("POST", "/keys/keys"), ("POST", "/keys/revocations")],
)
async def test_only_who_was_granted_it_administrates_keys(desk: Deployment, method: str, path: str):
    """A reader of everything else neither sees nor makes keys."""
    problem(await desk.administer(method, path, "finance", json={}), 403, "insufficient_scope")
    problem(await desk.administer(method, path, "", json={}), 401, "unauthenticated")
