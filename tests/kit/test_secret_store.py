"""tests of kit: secrets that vendors hand out are stored sealed, and open under the master key alone."""

import msgspec
import pytest
from sqlalchemy import text

from contracts.problems import Unavailable
from kit.database import Database
from kit.privacy import DerivedKeys
from kit.secret_store import SecretStore
from kit.secrets import Secret


class Token(msgspec.Struct, frozen=True):
    value: str


async def test_sealed_under_a_key_of_its_own(database: Database) -> None:
    """What is stored is read again, replaced and removed; nothing of it stands in the table in clear."""
    store = SecretStore(database, DerivedKeys(Secret("m" * 64)))
    await store.write("login:a_b", Token("hunter2"))
    await store.write("login:axb", Token("other"))
    await store.write("login:a_b", Token("hunter3"))
    assert await store.read("login:a_b", Token) == Token("hunter3")
    assert await store.names("login:a_") == ["login:a_b"]
    async with database.connect() as connection:
        rows = (await connection.execute(text("SELECT * FROM enfilade.stored_secrets"))).all()
    assert b"hunter" not in repr(rows).encode()
    assert len({row.wrapped_key for row in rows}) == 2
    await store.delete("login:a_b")
    assert await store.read("login:a_b", Token) is None


async def test_another_master_key(database: Database) -> None:
    """Under another master key, or moved to another name, a secret does not open, and that is said."""
    await SecretStore(database, DerivedKeys(Secret("m" * 64))).write("login:a", Token("hunter2"))
    with pytest.raises(Unavailable, match="master key"):
        await SecretStore(database, DerivedKeys(Secret("n" * 64))).read("login:a", Token)
    async with database.begin() as connection:
        await connection.execute(text("UPDATE enfilade.stored_secrets SET name = 'login:b'"))
    with pytest.raises(Unavailable, match="login:b"):
        await SecretStore(database, DerivedKeys(Secret("m" * 64))).read("login:b", Token)
