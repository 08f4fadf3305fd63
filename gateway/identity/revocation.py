"""Revocation: of one token, or of all tokens of a consumer or a person issued up to an instant."""

import datetime as dt
from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from gateway.identity.changes import note_change
from gateway.tables import revocations
from kit.context import new_id

Kind = Literal["token", "consumer", "subject"]

_MARGIN_SECONDS = 300  # clocks differ, and tokens are accepted for a leeway beyond their expiry


class Revocation(msgspec.Struct, frozen=True):
    """A revocation of the token with a ``jti``, or of every token of a consumer or a subject.

    Of the latter two, of those with an ``iat`` up to `issued_before`. Without `issuer`, of every issuer. It
    is deleted when all tokens that it concerns have expired.
    """

    id: str
    kind: Kind
    name: str
    issued_before: dt.datetime
    forget_at: dt.datetime
    revoked_at: dt.datetime
    issuer: str = ""
    revoked_by: str = ""
    reason: str = ""


async def revoke(
    connection: AsyncConnection,
    *,
    kind: Kind,
    name: str,
    by: str,
    issuer: str = "",
    issued_before: dt.datetime | None = None,
    reason: str = "",
    longest_seconds: float = 86_400.0,
) -> Revocation:
    """Revoke in the caller's transaction; it takes effect in every gateway within seconds.

    `kind` is what `name` names: a token by its ``jti``, a consumer, or a subject (``sub``). `issued_before`
    is now unless it is given. `longest_seconds` is how long a token may live.
    """
    await note_change(connection)
    await connection.execute(delete(revocations).where(revocations.c.forget_at < func.clock_timestamp()))
    now = dt.datetime.now(dt.UTC)
    made = Revocation(
        id=new_id("rev"),
        kind=kind,
        name=name,
        issuer=issuer,
        issued_before=issued_before or now,
        forget_at=max(now, issued_before or now) + dt.timedelta(seconds=longest_seconds + _MARGIN_SECONDS),
        revoked_at=now,
        revoked_by=by,
        reason=reason,
    )
    await connection.execute(insert(revocations).values(msgspec.structs.asdict(made)))
    return made


async def active_revocations(connection: AsyncConnection) -> list[Revocation]:
    """Every revocation that has not expired, newest first."""
    asked = select(revocations).where(revocations.c.forget_at > func.clock_timestamp())
    rows = await connection.execute(asked.order_by(revocations.c.revoked_at.desc()))
    return [Revocation(**row._asdict()) for row in rows]


class Revoked:
    """The revocations in memory, indexed for lookup."""

    def __init__(self, revocations: Iterable[Revocation] = ()) -> None:
        self._tokens: set[tuple[str, str]] = set()
        self._before: dict[tuple[str, str, str], float] = {}
        for one in revocations:
            if one.kind == "token":
                self._tokens.add((one.issuer, one.name))
            else:
                key, until = (one.kind, one.issuer, one.name), one.issued_before.timestamp()
                self._before[key] = max(until, self._before.get(key, until))

    def covers(self, consumer: str, claims: dict[str, Any], issuer: str) -> bool:
        """Whether a token with these claims was revoked."""
        issued, subject, token_id = claims.get("iat", 0), claims.get("sub", ""), claims.get("jti")
        if token_id and ((issuer, token_id) in self._tokens or ("", token_id) in self._tokens):
            return True
        concerned = (("consumer", consumer), ("subject", subject))
        return any(
            issued <= self._before.get((kind, revoked_issuer, name), -1.0)
            for kind, name in concerned
            for revoked_issuer in (issuer, "")
        )
