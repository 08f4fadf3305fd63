"""Sessions: a person's sign-ins to bundles, with their tokens, encrypted, in the database."""

import asyncio
import datetime as dt
import hashlib
import secrets
import time
from collections.abc import Awaitable, Callable

import msgspec
from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.problems import InvalidToken, Unavailable
from gateway.pages.issuer_client import Tokens
from gateway.tables import page_sessions as table
from kit import audit, clock, privacy
from kit.database import Database
from kit.privacy import SealBroken

SOON_SECONDS = 30.0
"""An access token is renewed when it expires within this time."""

_CACHE_SECONDS = 1.0  # how long another process may still accept a session that has ended
_TOUCH_SECONDS = 30.0
_MANY = 10_000


class Session(msgspec.Struct, frozen=True):
    """A session of a bundle; `key` is the hash of its id, which only the browser has."""

    key: str
    page: str
    consumer: str
    tokens: Tokens
    used_at: dt.datetime
    expires_at: dt.datetime


Refresh = Callable[[Tokens], Awaitable[Tokens]]


class Sessions:
    """The sessions of all processes; each caches those in use for a second."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._cached: dict[str, tuple[float, Session]] = {}
        self._renewals: dict[str, asyncio.Future[Session | None]] = {}

    async def begin(self, page: str, consumer: str, tokens: Tokens, *, seconds: float) -> str:
        """A new session's id; expired sessions of all are deleted."""
        session_id = secrets.token_urlsafe(32)
        now, key = clock.now(), _key(session_id)
        async with self._database.begin() as connection:
            await connection.execute(delete(table).where(table.c.expires_at <= now))
            row = {
                "key": key,
                "page": page,
                "consumer": consumer,
                "sealed": _seal(connection, key, tokens),
                "used_at": now,
                "expires_at": now + dt.timedelta(seconds=seconds),
            }
            await connection.execute(insert(table).values(row))
            await audit.write(
                connection,
                action="pages.signed_in",
                outcome="done",
                actor=tokens.subject,
                consumer=consumer,
                subject=page,
            )
        return session_id

    async def find(self, page: str, session_id: str, idle_seconds: float) -> Session | None:
        """The session of a bundle with an id; None when it has ended, by its age or for lack of use."""
        if not session_id:
            return None
        key, now = _key(session_id), clock.now()
        seen, session = self._cached.get(key, (0.0, None))
        if session is None or time.monotonic() - seen > _CACHE_SECONDS:
            session = await self._load(page, key, now, idle_seconds)
            if session is None:
                self._cached.pop(key, None)
                return None
            self._remember(session)
        return session if session.page == page and session.expires_at > now else None

    async def _load(self, page: str, key: str, now: dt.datetime, idle_seconds: float) -> Session | None:
        async with self._database.begin() as connection:
            session = await _read(connection, key, for_update=False)
            if session is None or session.page != page:
                return None
            idle = (now - session.used_at).total_seconds()
            if session.expires_at <= now or idle > idle_seconds:
                await connection.execute(delete(table).where(table.c.key == key))
                return None
            if idle > min(_TOUCH_SECONDS, idle_seconds / 4):
                await connection.execute(update(table).where(table.c.key == key).values(used_at=now))
        return session

    async def renewed(self, session: Session, refresh: Refresh) -> Session | None:
        """The session with a current access token; None when the issuer gives none any more, and it ends.

        One request renews it, in one process of all; the others wait for its outcome.
        """
        if session.tokens.until - time.time() > SOON_SECONDS:
            return session
        renewal = self._renewals.get(session.key)
        if renewal is None:
            renewal = self._renewals[session.key] = asyncio.ensure_future(self._renew(session.key, refresh))
            renewal.add_done_callback(lambda _: self._renewals.pop(session.key, None))
        # A caller who leaves does not cancel it: the issuer may already have replaced the refresh token.
        return await asyncio.shield(renewal)

    async def _renew(self, key: str, refresh: Refresh) -> Session | None:
        self._cached.pop(key, None)
        async with self._database.begin() as connection:
            session = await _read(connection, key, for_update=True)
            if session is None or session.tokens.until - time.time() > SOON_SECONDS:
                return session
            try:
                tokens = await _refreshed(session.tokens, refresh)
            except (InvalidToken, Unavailable) as problem:
                if session.tokens.until > time.time():  # it is still valid
                    return session
                if isinstance(problem, Unavailable):
                    raise
                await connection.execute(delete(table).where(table.c.key == key))
                return None
            sealed = _seal(connection, key, tokens)
            await connection.execute(update(table).where(table.c.key == key).values(sealed=sealed))
        return msgspec.structs.replace(session, tokens=tokens)

    async def discard(self, session: Session) -> None:
        """End a session that must not be used again."""
        self._cached.pop(session.key, None)
        async with self._database.begin() as connection:
            await connection.execute(delete(table).where(table.c.key == session.key))

    async def end(self, page: str, session_id: str) -> Session | None:
        """End a session; returns it, None when there is none."""
        key = _key(session_id)
        self._cached.pop(key, None)
        async with self._database.begin() as connection:
            session = await _read(connection, key, for_update=True)
            if session is None or session.page != page:
                return None
            await connection.execute(delete(table).where(table.c.key == key))
        return session

    def _remember(self, session: Session) -> None:
        if len(self._cached) >= _MANY:
            self._cached.clear()
        self._cached[session.key] = (time.monotonic(), session)


async def _refreshed(tokens: Tokens, refresh: Refresh) -> Tokens:
    if not tokens.refresh_token:
        raise InvalidToken("There is no refresh token")
    return await refresh(tokens)


def _key(session_id: str) -> str:
    """The storage key: a hash, since ids are credentials."""
    return hashlib.sha256(session_id.encode()).hexdigest()


def _seal(connection: AsyncConnection, key: str, tokens: Tokens) -> bytes:
    return privacy.of(connection).keys.seal(msgspec.json.encode(tokens), f"session {key}")


async def _read(connection: AsyncConnection, key: str, *, for_update: bool) -> Session | None:
    wanted = select(table).where(table.c.key == key)
    row = (await connection.execute(wanted.with_for_update() if for_update else wanted)).one_or_none()
    if row is None:
        return None
    try:
        plain = privacy.of(connection).keys.unseal(bytes(row.sealed), f"session {key}")
    except SealBroken:
        return None
    tokens = msgspec.json.decode(plain, type=Tokens)
    return Session(row.key, row.page, row.consumer, tokens, row.used_at, row.expires_at)
