"""The account's User Event script: after each save a thin event goes to an outbox and on, signed."""

import asyncio
import contextlib
import hashlib
import hmac
import uuid
from typing import Any

import httpx

from sandbox.core import Account, World, dumps
from sandbox.netsuite.schema import RecordType
from sandbox.netsuite.store import Record

DEPLOYED_ON = {"customer", "salesOrder", "invoice"}
FIRST_RETRY_SECONDS = 0.25
LONGEST_RETRY_SECONDS = 30.0
ATTEMPTS = 40
AT_ONCE = 60


def secret(account: Account) -> str:
    return account.settings.get("push_secret") or account.secret("push", 40)


def tell(account: Account, kind: RecordType, record: Record, action: str) -> None:
    """Announce a save, if the account has the script deployed (setting `push_url`)."""
    if kind.name not in DEPLOYED_ON or not account.settings.get("push_url") or "seeded" not in account.extra:
        return
    account.notifications.publish(
        {
            "eventId": str(uuid.UUID(account.token("event", 32))),
            "recordType": kind.name,
            "internalId": record["id"],
            "externalId": record.get("externalId"),
            "action": action,
            "lastModified": record["lastModifiedDate"],
        }
    )


def signed(account: Account, event: dict[str, Any]) -> tuple[dict[str, str], bytes]:
    """Headers and body of one delivery."""
    body = dumps(event)
    at = str(int(account.clock.now().timestamp()))
    digest = hmac.new(secret(account).encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "NetSuite/2026.1 SuiteScript/2.1",
        "X-NS-Event-Id": event["eventId"],
        "X-NS-Timestamp": at,
        "X-NS-Signature": f"sha256={digest}",
    }
    return headers, body


class Outbox:
    """Keeps events in the account (so they outlive a restart) until their receiver has taken them."""

    def __init__(self) -> None:
        self._wake = asyncio.Event()
        self._due: dict[tuple[str, int], float] = {}
        self._sending: dict[tuple[str, int], asyncio.Task[None]] = {}

    def add(self, account: Account, event: dict[str, Any]) -> None:
        entry = {"id": account.next_number("outbox"), "event": event, "attempts": 0}
        account.extra.setdefault("outbox", []).append(entry)
        account.touch()
        self._wake.set()

    async def run(self, world: World, stop: asyncio.Event) -> None:
        places = asyncio.Semaphore(AT_ONCE)
        stopping = asyncio.create_task(stop.wait())
        async with httpx.AsyncClient(
            timeout=10, trust_env=False, limits=httpx.Limits(max_connections=AT_ONCE)
        ) as client:
            while not stop.is_set():
                self._wake.clear()
                pause = self._start_due(world, client, places)
                waking = asyncio.create_task(self._wake.wait())
                await asyncio.wait({stopping, waking}, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                waking.cancel()
            for task in list(self._sending.values()):
                task.cancel()
            await asyncio.gather(*self._sending.values(), return_exceptions=True)

    def _start_due(self, world: World, client: httpx.AsyncClient, places: asyncio.Semaphore) -> float | None:
        """Start what may be sent now; the seconds until the next may be."""
        now = asyncio.get_running_loop().time()
        waits = []
        for account in world.accounts.values():
            for entry in account.extra.get("outbox", ()):
                key = (account.name, entry["id"])
                wait = self._due.get(key, 0) - now
                if key in self._sending:
                    continue
                if wait > 0:
                    waits.append(wait)
                    continue
                task = asyncio.create_task(self._send(account, entry, client, places))
                self._sending[key] = task
                task.add_done_callback(lambda _, key=key: self._sent(key))
        return min(waits, default=None)

    def _sent(self, key: tuple[str, int]) -> None:
        self._sending.pop(key, None)
        self._wake.set()

    async def _send(
        self, account: Account, entry: dict[str, Any], client: httpx.AsyncClient, places: asyncio.Semaphore
    ) -> None:
        async with places:
            headers, body = signed(account, entry["event"])
            taken = False
            with contextlib.suppress(httpx.HTTPError, httpx.InvalidURL):
                answer = await client.post(account.settings["push_url"], headers=headers, content=body)
                taken = answer.is_success
        self._settle(account, entry, taken=taken)

    def _settle(self, account: Account, entry: dict[str, Any], *, taken: bool) -> None:
        outbox, key = account.extra.get("outbox", []), (account.name, entry["id"])
        entry["attempts"] += 1
        if taken or entry["attempts"] >= ATTEMPTS:
            self._due.pop(key, None)
            if entry in outbox:
                outbox.remove(entry)
            if not taken:
                account.extra.setdefault("outbox_failed", []).append(entry)
        else:
            pause = min(FIRST_RETRY_SECONDS * 2 ** entry["attempts"], LONGEST_RETRY_SECONDS)
            self._due[key] = asyncio.get_running_loop().time() + pause
        account.touch()
