"""Authorization codes: each is redeemed once, soon, by the client it was made for, in whichever process."""

import hashlib

import msgspec

from kit import clock, one_time
from kit.database import Database

LIFETIME_SECONDS = 60.0


class Code(msgspec.Struct, frozen=True):
    """What a person allowed a client: the code's other half.

    `challenge` is PKCE's (S256); `used_by` the id of the token that the code was exchanged for.
    """

    client: str
    redirect_uri: str
    challenge: str
    subject: str
    scope: str
    used_by: str = ""

    def get_redirect_uri(self) -> str:
        """Asked by Authlib."""
        return self.redirect_uri

    def get_scope(self) -> str:
        """Asked by Authlib."""
        return self.scope


class Codes:
    """The codes of all processes. `remember` says for how many seconds a spent one is still known."""

    def __init__(self, database: Database, *, remember: float) -> None:
        self._database = database
        self._remember = remember

    async def store(self, code: str, meaning: Code) -> None:
        """Make a code known."""
        content = msgspec.to_builtins(meaning)
        await one_time.store(self._database, _name(code), content=content, seconds=self._remember)

    async def find(self, code: str) -> Code | None:
        """What a code stands for; None for one that was never made, or has expired unspent."""
        kept = await one_time.find(self._database, _name(code))
        if kept is None:
            return None
        age = (clock.now() - kept.stored_at).total_seconds()
        if age > LIFETIME_SECONDS and not kept.used_by:
            return None
        return msgspec.convert({**kept.content, "used_by": kept.used_by}, Code)

    async def spend(self, code: str, token_id: str) -> bool:
        """Exchange a code for a token; False when it was exchanged before."""
        return await one_time.spend(self._database, _name(code), token_id)


def _name(code: str) -> str:
    """Codes are credentials: only their hash is kept."""
    return f"code:{hashlib.sha256(code.encode()).hexdigest()}"
