"""Secrets that vendors hand out: each sealed under a key of its own, which the master key wraps."""

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec
from sqlalchemy import Column, LargeBinary, Table, Text, delete, select
from sqlalchemy.dialects.postgresql import insert

from contracts.problems import Unavailable
from kit import clock
from kit.database import Database, Hold, lease, metadata
from kit.database.columns import instant_column
from kit.database.declaring import declare
from kit.privacy.keys import KEY_BYTES, DerivedKeys, SealBroken, seal, unseal

T = TypeVar("T")

stored_secrets = Table(
    "stored_secrets",
    metadata,
    Column("name", Text, primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    instant_column("updated_at"),
)
declare(stored_secrets, rows=None, retention="until it is replaced, or its instance removed")


class SecretStore:
    """The secrets of one database, by name; their values are JSON documents. Raises Unavailable."""

    def __init__(self, database: Database, keys: DerivedKeys) -> None:
        self._database = database
        self._keys = keys

    async def read(self, name: str, kind: type[T]) -> T | None:
        """The value, None where there is none."""
        query = select(stored_secrets).where(stored_secrets.c.name == name)
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            return None
        try:
            key = self._keys.unwrap(row.wrapped_key, _about(name))
            return msgspec.json.decode(unseal(key, row.sealed, _about(name)), type=kind)
        except SealBroken:
            raise Unavailable(f"The stored secret {name} does not open under this master key") from None

    async def write(self, name: str, value: msgspec.Struct) -> None:
        """Store a value under a new key, in the place of an earlier one."""
        key = secrets.token_bytes(KEY_BYTES)
        row = insert(stored_secrets).values(
            name=name,
            wrapped_key=self._keys.wrap(key, _about(name)),
            sealed=seal(key, msgspec.json.encode(value), _about(name)),
            updated_at=clock.now(),
        )
        columns = ("wrapped_key", "sealed", "updated_at")
        changed = {column: row.excluded[column] for column in columns}
        async with self._database.begin() as connection:
            await connection.execute(row.on_conflict_do_update(index_elements=["name"], set_=changed))

    async def delete(self, name: str) -> None:
        """Delete the secret under a name."""
        async with self._database.begin() as connection:
            await connection.execute(delete(stored_secrets).where(stored_secrets.c.name == name))

    async def names(self, prefix: str) -> list[str]:
        """The names that begin so, in order."""
        query = select(stored_secrets.c.name).where(stored_secrets.c.name.startswith(prefix, autoescape=True))
        async with self._database.connect() as connection:
            return list((await connection.execute(query.order_by(stored_secrets.c.name))).scalars())

    def fingerprint(self, text: str) -> str:
        """By what a secret is recognised that is not stored itself."""
        return self._keys.lookup(f"secret:{text}")

    @asynccontextmanager
    async def alone(self, name: str) -> AsyncIterator[Hold]:
        """Wait until no other process works on the secret, then be the only one that does."""
        async with lease(self._database, f"secret:{name}") as hold:
            yield hold


def _about(name: str) -> str:
    return f"secret:{name}"
