"""The OAuth 2.0 refresh token grant for vendors that rotate the token: it is stored before it is used."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import msgspec

from contracts.problems import Problem, Unavailable, VendorFault, VendorRejected, VendorUnavailable
from kit import clock, context, telemetry
from kit.background import stop_background
from kit.http.auth import Grant, Style, TokenClient, lifetime
from kit.secret_store import SecretStore
from kit.secrets import Secret

_log = telemetry.log(__name__)

_STORE_AGAIN = 0.2  # seconds between two attempts to store what the vendor has granted
_CLOSE = 10.0  # seconds that a refresh under way has when the process ends
_LOOK = 0.1  # seconds between two polls of a refresh by another process


class Grantings(msgspec.Struct, frozen=True):
    """What is stored for one login.

    `first` is the fingerprint of the refresh token that the profile gives, `token` the vendor's last answer,
    valid until `until`. `begun_at` is set while `refresh_token` is at the vendor and no answer is stored.
    """

    first: str
    refresh_token: str
    token: dict[str, Any] | None = None
    until: float | None = None
    begun_at: float | None = None

    def __repr__(self) -> str:
        return "Grantings(…)"


class RefreshToken(Grant):
    """RFC 6749 §6, one refresh at a time over all processes.

    `first` is the refresh token that an authorisation in the browser gave; a new authorisation
    replaces it. A vendor may give another one with each answer and refuse the earlier one, so a
    refresh survives the caller who began it, and its result is used only once it is stored. A process that
    ends in between leaves a mark; no process refreshes within `settle` seconds of it.
    """

    def __init__(
        self,
        token_url: str,
        *,
        name: str,
        client_id: str,
        client_secret: Secret | None,
        first: Secret,
        store: SecretStore,
        style: Style = "body",
        settle: float = 40.0,
        **more: Any,
    ) -> None:
        super().__init__(token_url, **more)
        self._name = f"login:{name}"
        self._client = TokenClient(client_id, client_secret, style)
        self._first, self._store, self._settle = first, store, settle
        self._tasks: set[asyncio.Task[None]] = set()

    def form(self) -> dict[str, str]:
        return {"grant_type": "refresh_token", **self._client.form()}

    async def close(self) -> None:
        """Wait for a refresh that is under way: its answer would be lost."""
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=_CLOSE)
        await stop_background(*self._tasks)

    async def _fetch(self, refused: Mapping[str, Any] | None) -> None:
        task = asyncio.create_task(self._refresh_alone(refused))
        self._tasks.add(task)
        task.add_done_callback(self._done)
        try:
            async with asyncio.timeout(context.remaining()):
                await asyncio.shield(task)
        except TimeoutError:
            raise VendorUnavailable(
                f"the login at {self._instance} was not renewed in time",
                instance=self._instance,
                retry_after=1,
            ) from None

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            _log.info("login_not_renewed", instance=self._instance, error=type(task.exception()).__name__)

    async def _refresh_alone(self, refused: Mapping[str, Any] | None) -> None:
        # No caller's deadline: an answer is stored even when its caller has given up.
        with context.use(msgspec.structs.replace(context.current(), deadline=None)):
            async with self._store.alone(self._name) as hold:
                held = await self._settled()
                if not _usable(held, refused):
                    await hold.confirm()
                    held = await self._refresh(held)
                self._use(held.token or {}, _until(held))

    async def _settled(self) -> Grantings:
        """The stored token, once no refresh of another process can be in flight."""
        while True:
            held = await self._read()
            begun = held.begun_at
            if begun is None or clock.now().timestamp() - begun >= self._settle:
                return held
            await asyncio.sleep(_LOOK)  # the process that began it may have lost its lock, not its answer

    async def _read(self) -> Grantings:
        first = self._store.fingerprint(self._first.reveal())
        held = await self._store.read(self._name, Grantings)
        return held if held and held.first == first else Grantings(first, self._first.reveal())

    async def _refresh(self, held: Grantings) -> Grantings:
        began = clock.now().timestamp()
        await self._store.write(self._name, msgspec.structs.replace(held, begun_at=began))
        try:
            form = {**self.form(), "refresh_token": held.refresh_token}
            token = await self._ask(form, self._client.headers())
        except (VendorRejected, VendorUnavailable) as problem:
            if isinstance(problem, VendorRejected) or problem.nothing_done:
                # The token was not used up: what was known of it before is still true.
                await self._store.write(self._name, held)
            raise self._explained(problem, held) from None
        lasts = lifetime(token.get("expires_in"), self._lasts)
        renewed = Grantings(
            first=held.first,
            refresh_token=str(token.get("refresh_token") or held.refresh_token),
            token=token,
            until=None if lasts == float("inf") else began + lasts,
        )
        await self._store_surely(renewed)
        return renewed

    async def _store_surely(self, renewed: Grantings) -> None:
        """Store what the vendor has granted, however long the database is away: there is no other copy."""
        while True:
            try:
                return await self._store.write(self._name, renewed)
            except Unavailable:
                _log.warning("renewed_login_waits_for_the_database", instance=self._instance)
                await asyncio.sleep(_STORE_AGAIN)

    def _explained(self, problem: VendorFault, held: Grantings) -> Problem:
        if not problem.detail.endswith(": invalid_grant"):
            return problem
        why = "is expired or was revoked"
        if held.begun_at is not None:
            why = "was used, and a process or a connection ended before the vendor's answer was stored"
        explained = VendorRejected(
            f"{problem.detail}. The refresh token of {self._instance} {why}: authorise Enfilade again at the"
            " vendor, and put the new refresh token in the place that the profile names",
            instance=problem.instance,
            vendor_request_id=problem.vendor_request_id,
            extra=problem.extra,
        )
        self._rest_with(explained)
        return explained


def _usable(held: Grantings, refused: Mapping[str, Any] | None) -> bool:
    """Whether the stored token is another than the refused one, and valid."""
    if held.token is None or (refused and held.token.get("access_token") == refused.get("access_token")):
        return False
    return held.until is None or clock.now().timestamp() < held.until


def _until(held: Grantings) -> float:
    """The end of the stored token on this process's own clock."""
    if held.until is None:
        return float("inf")
    return time.monotonic() + held.until - clock.now().timestamp()
