"""The world of one stand-in: many accounts in one server, each with its own records, clock and log."""

import asyncio
import functools
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.core.calllog import CallLog
from sandbox.core.clock import Clock
from sandbox.core.faults import Faults, Holds
from sandbox.core.notifications import Notifications
from sandbox.core.tls import Authority
from sandbox.core.wire import dumps, loads

if TYPE_CHECKING:
    from sandbox.core.vendor import Vendor

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
SAVE_EVERY_SECONDS = 0.1


class Account:
    """One org or account of the vendor. Records are JSON-able (Decimals too); `touch` after any change."""

    def __init__(self, world: "World", name: str, seed: int, settings: dict[str, Any]) -> None:
        self.world = world
        self.name = name
        self.seed = seed
        self.settings = settings
        self.clock = Clock()
        self.log = CallLog()
        self.faults = Faults()
        self.holds = Holds()
        self.notifications = Notifications(lambda event: world.stand_in.deliver(self, event))
        self.tables: dict[str, dict[str, dict[str, Any]]] = {}
        self.extra: dict[str, Any] = {}

    def next_number(self, what: str) -> int:
        """1, 2, 3… per `what`."""
        counters = self.extra.setdefault("counters", {})
        counters[what] = counters.get(what, 0) + 1
        self.touch()
        return counters[what]

    def secret(self, what: str, length: int = 64) -> str:
        """A credential in hex: the same for this account at every start and after every reset."""
        text = f"{self.world.vendor}|{self.name}|{what}"
        return hashlib.sha512(text.encode()).hexdigest()[:length]

    def token(self, what: str, length: int = 64) -> str:
        """A new deterministic hex string at every call: from the seed and a counter."""
        text = f"{self.world.vendor}|{self.name}|{self.seed}|{what}|{self.next_number('token ' + what)}"
        return hashlib.sha512(text.encode()).hexdigest()[:length]

    def kill_token(self, token: str) -> None:
        self.extra.setdefault("dead_tokens", []).append(hashlib.sha256(token.encode()).hexdigest())
        self.touch()

    def is_dead(self, token: str) -> bool:
        return hashlib.sha256(token.encode()).hexdigest() in self.extra.get("dead_tokens", ())

    def touch(self) -> None:
        """State changed: it is saved shortly."""
        self.world.note_change(self.name)

    def dump(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "seed": self.seed,
            "settings": self.settings,
            "clock": self.clock.dump(),
            "notifications": self.notifications.dump(),
            "tables": self.tables,
            "extra": self.extra,
        }

    def load(self, saved: dict[str, Any]) -> None:
        self.clock.load(saved["clock"])
        self.notifications.load(saved["notifications"])
        self.tables, self.extra = saved["tables"], saved["extra"]


class World:
    """All accounts of one stand-in, stored as one file per account where a folder is given."""

    def __init__(self, stand_in: "Vendor", data: Path | None = None) -> None:
        self.stand_in = stand_in
        self.vendor = stand_in.name
        self.data = data
        self.base_url = ""
        self.files = Path()
        self.proxy: dict[str, str] = {}
        self.tunnels: dict[str, int] = {}
        self.accounts: dict[str, Account] = {}
        self._changed: set[str] = set()
        self._wake = asyncio.Event()

    @functools.cached_property
    def authority(self) -> Authority:
        """Signs the certificates of this run; its own is in `files`."""
        return Authority(self.files)

    def get(self, name: str) -> Account:
        """Raises: KeyError."""
        return self.accounts[name]

    def find(self, predicate: Callable[[Account], bool]) -> Account | None:
        return next((account for account in self.accounts.values() if predicate(account)), None)

    def create(self, name: str, seed: int = 1, settings: dict[str, Any] | None = None) -> Account:
        """The account of that name, made and seeded if it is new; settings are added to those it has.

        Raises: ValueError."""
        if name in self.accounts:
            account = self.accounts[name]
            account.settings.update(settings or {})
            account.touch()
            return account
        if not NAME.fullmatch(name):
            raise ValueError("An account's name is letters, digits, - and _, 64 at most")
        account = Account(self, name, seed, settings or {})
        self.accounts[name] = account
        self.stand_in.seed(account)
        account.touch()
        return account

    def reset(self, name: str, seed: int | None = None) -> Account:
        """The account as at its first day; nothing is remembered, nobody is held. Raises: KeyError."""
        account = self.accounts[name]
        account.holds.release_all()
        account.seed = account.seed if seed is None else seed
        account.faults = Faults()
        account.clock.real()
        account.notifications.clear()
        account.log.clear()
        account.tables, account.extra = {}, {}
        self.stand_in.seed(account)
        account.touch()
        return account

    def remove(self, name: str) -> None:
        """Raises: KeyError."""
        self.accounts.pop(name).holds.release_all()
        if self.data:
            self._file(name).unlink(missing_ok=True)

    def load(self) -> None:
        """Bring back what the folder holds."""
        for path in self._saved_files():
            saved = loads(path.read_bytes())
            account = Account(self, saved["name"], saved["seed"], saved["settings"])
            self.accounts[account.name] = account
            account.load(saved)

    def note_change(self, name: str) -> None:
        self._changed.add(name)
        self._wake.set()

    def save(self) -> None:
        """Write changed accounts, each in one step: a file is the old state or the new one, never torn."""
        changed, self._changed = self._changed, set()
        if not self.data:
            return
        for name in changed & set(self.accounts):
            path = self._file(name)
            part = path.with_suffix(".part")
            part.write_bytes(dumps(self.accounts[name].dump()))
            os.replace(part, path)  # noqa: PTH105 - the plain name for the atomic call

    async def keep_saved(self, stop: asyncio.Event) -> None:
        """Save shortly after every change until `stop`, and once more then."""
        while not stop.is_set():
            await self._wake.wait()
            self._wake.clear()
            self.save()
            # Not a wait for something: a burst of changes costs one write per interval.
            await asyncio.sleep(SAVE_EVERY_SECONDS)
        self.save()

    def wake(self) -> None:
        self._wake.set()

    def _file(self, name: str) -> Path:
        assert self.data  # noqa: S101 - callers looked
        return self.data / f"{self.vendor}-{name}.json"

    def _saved_files(self) -> Iterator[Path]:
        if self.data:
            self.data.mkdir(parents=True, exist_ok=True)
            yield from sorted(self.data.glob(f"{self.vendor}-*.json"))
