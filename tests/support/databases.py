"""tests/support: databases opened with keys, without which nothing is signed or sealed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from kit import privacy
from kit.database import Database
from kit.secrets import Secret

KEYS = privacy.DerivedKeys(Secret("k" * 64))
"""The keys of every database that is no deployment's: the processes of a test share them."""


def keyed(url: str, keys: privacy.DerivedKeys = KEYS, *, name: str = "enfilade") -> Database:
    """A database with keys; the caller closes it."""
    database = Database(url, name=name)
    privacy.use(database, keys)
    return database


@asynccontextmanager
async def open_database(url: str, keys: privacy.DerivedKeys = KEYS) -> AsyncIterator[Database]:
    """A database with keys, closed at the end."""
    database = keyed(url, keys)
    try:
        yield database
    finally:
        await database.close()
