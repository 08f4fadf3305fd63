"""API keys: created once, shown once, and stored only as a hash."""

import datetime as dt
import hashlib
import re
import secrets
import time
from typing import Any, Literal

import msgspec
from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.problems import NotFound, TooManyKeys
from gateway.identity.changes import note_change
from gateway.tables import api_keys
from kit.context import new_id

Kind = Literal["test", "live"]

MARK = "enf_"
LIVE_KEYS = 2  # per consumer: the one in use and its replacement
_SHAPE = re.compile(r"(enf_(test|live)_[0-9a-f]{8})[0-9a-f]{64}")


class StoredApiKey(msgspec.Struct, frozen=True):
    """A stored key. Instants are in UTC; without `scopes` it has every scope of its consumer."""

    id: str
    consumer: str
    kind: Kind
    prefix: str
    made_at: dt.datetime
    scopes: tuple[str, ...] = ()
    title: str = ""
    made_by: str = ""
    expires_at: dt.datetime | None = None
    last_used_at: dt.datetime | None = None
    revoked_at: dt.datetime | None = None
    revoked_by: str = ""


def new_key(kind: Kind) -> tuple[str, str]:
    """A new key, 256 random bits, and the prefix that identifies it without revealing it."""
    prefix = f"{MARK}{kind}_{secrets.token_hex(4)}"
    return prefix + secrets.token_hex(32), prefix


def kind_of(key: str) -> str:
    """Whether a text is a test or a live key; empty for a text that is not a key."""
    match = _SHAPE.fullmatch(key)
    return match.group(2) if match else ""


def hash_of(key: str) -> str:
    """The stored hash of a key.

    SHA-256 without salt or stretching suffices here, unlike for passwords: with 2^256 possible keys a stolen
    hash cannot be reversed, and a slow hash would only slow down the gateway.
    """
    return hashlib.sha256(key.encode()).hexdigest()


def _is_live() -> Any:
    now = func.clock_timestamp()
    unexpired = or_(api_keys.c.expires_at.is_(None), api_keys.c.expires_at > now)
    return and_(api_keys.c.revoked_at.is_(None), unexpired)


async def create(
    connection: AsyncConnection,
    *,
    consumer: str,
    kind: Kind,
    by: str,
    title: str = "",
    scopes: tuple[str, ...] = (),
    expires_at: dt.datetime | None = None,
) -> tuple[StoredApiKey, str]:
    """A new key of a consumer and its text, which is not stored; raises TooManyKeys beyond two."""
    await note_change(connection)  # also locks, so that the count below is exact
    counted = select(func.count()).select_from(api_keys).where(api_keys.c.consumer == consumer, _is_live())
    if (await connection.execute(counted)).scalar_one() >= LIVE_KEYS:
        raise TooManyKeys(f"{consumer} has {LIVE_KEYS} live keys; revoke one before you create another")
    text, prefix = new_key(kind)
    row = {
        "id": new_id("key"),
        "consumer": consumer,
        "kind": kind,
        "prefix": prefix,
        "hash": hash_of(text),
        "scopes": list(scopes),
        "title": title,
        "made_by": by,
        "made_at": dt.datetime.now(dt.UTC),
        "expires_at": expires_at,
    }
    made = await connection.execute(insert(api_keys).values(row).returning(api_keys))
    return _read(made.one()), text


async def revoke_key(connection: AsyncConnection, key_id: str, *, by: str) -> StoredApiKey:
    """The key, revoked now or before; raises NotFound."""
    await note_change(connection)
    done = update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None))
    await connection.execute(done.values(revoked_at=func.clock_timestamp(), revoked_by=by))
    row = (await connection.execute(select(api_keys).where(api_keys.c.id == key_id))).one_or_none()
    if row is None:
        raise NotFound(f"There is no key {key_id}")
    return _read(row)


async def keys_of(connection: AsyncConnection, consumer: str = "") -> list[StoredApiKey]:
    """The keys of a consumer, or of all, newest first, expired and revoked ones included."""
    asked = select(api_keys).order_by(api_keys.c.made_at.desc(), api_keys.c.id)
    if consumer:
        asked = asked.where(api_keys.c.consumer == consumer)
    return [_read(row) for row in await connection.execute(asked)]


async def live_keys(connection: AsyncConnection) -> dict[str, StoredApiKey]:
    """Every live key by its hash."""
    return {row.hash: _read(row) for row in await connection.execute(select(api_keys).where(_is_live()))}


async def note_used(connection: AsyncConnection, used: dict[str, float]) -> None:
    """Record when keys were last used: key id to Unix time in seconds."""
    for key_id, at in sorted(used.items()):  # in one order, so that two gateways cannot deadlock
        instant = dt.datetime.fromtimestamp(at, dt.UTC)
        done = update(api_keys).where(api_keys.c.id == key_id)
        await connection.execute(
            done.values(last_used_at=func.greatest(func.coalesce(api_keys.c.last_used_at, instant), instant))
        )


def has_expired(key: StoredApiKey) -> bool:
    """Whether a key that was live when it was read has expired since."""
    return key.expires_at is not None and key.expires_at.timestamp() <= time.time()


def _read(row: Any) -> StoredApiKey:
    columns = {name: value for name, value in row._asdict().items() if name != "hash"}
    return StoredApiKey(**{**columns, "scopes": tuple(columns["scopes"])})
