"""Authorization codes: short-lived, each exchanged once by its client, in any process."""

import hashlib

import msgspec

from kit import clock, one_time
from kit.database import Database

LIFETIME_SECONDS = 60.0


class Code(msgspec.Struct, frozen=True):
    """The grant of a person to a client that a code represents.

    `challenge` is PKCE's (S256); `used_by` the id of the token that the code was exchanged for.
    """

    client: str
    redirect_uri: str
    challenge: str
    subject: str
    scope: str
    used_by: str = ""

    def get_redirect_uri(self) -> str:
        """The redirect URI; called by Authlib."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """The scope; called by Authlib."""
        return self.scope


class Codes:
    """The codes of all processes. `remember` is for how many seconds a used one stays stored."""

    def __init__(self, database: Database, *, remember: float) -> None:
        self._database = database
        self._remember = remember

    async def store(self, code: str, meaning: Code) -> None:
        """Store a code."""
        content = msgspec.to_builtins(meaning)
        await one_time.store(self._database, _name(code), content=content, seconds=self._remember)

    async def find(self, code: str) -> Code | None:
        """The grant of a code; None for an unknown one, or one that expired unused."""
        stored = await one_time.find(self._database, _name(code))
        if stored is None:
            return None
        age = (clock.now() - stored.stored_at).total_seconds()
        if age > LIFETIME_SECONDS and not stored.used_by:
            return None
        return msgspec.convert({**stored.content, "used_by": stored.used_by}, Code)

    async def spend(self, code: str, token_id: str) -> bool:
        """Exchange a code for a token; False when it was exchanged before."""
        return await one_time.spend(self._database, _name(code), token_id)


def _name(code: str) -> str:
    """The storage key: a hash, since codes are credentials."""
    return f"code:{hashlib.sha256(code.encode()).hexdigest()}"
