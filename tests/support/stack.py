"""tests/support: a deployment as a user meets it: real processes, ports, accounts of the test's own."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from bench.ports import free_port
from deploy.composition.assemble import master_keys
from deploy.composition.gateway_assembly import issuer_of
from deploy.demo.cast import CRM, ERP, PSA, read_cast
from deploy.settings import DEMO_CONFIG, read_settings
from gateway.plans import read_consumers
from kit.database import Database
from tests.support.databases import open_database
from tests.support.forkserver import Forked, fork
from tests.support.sandboxes import Account, SandboxOf
from tests.support.signing_keys import share_signing_keys

READY_SECONDS = 60
SETTLED_SECONDS = 60
SETTLED = {"done", "undone", "parked", "failed", "observed", "waiting"}


async def until(what: str, look: Callable[[], Any], seconds: float = SETTLED_SECONDS) -> Any:
    """What `look` (async) answers once it is true; fails with `what` after a while."""
    began = time.monotonic()
    while True:
        found = await look()
        if found:
            return found
        waited = time.monotonic() - began
        if waited > seconds:
            raise AssertionError(f"waited {seconds:g} s in vain until {what}")
        # A look costs both sides some work: what takes long is not asked for as often.
        await asyncio.sleep(min(max(0.02, waited / 5), 0.25))


@dataclass
class Member:
    """One process of the deployment."""

    name: str
    port: int
    internal: str
    process: Forked
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def kill(self) -> None:
        """Gone at once, workers too, as by the kernel."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def signal(self, number: int) -> None:
        os.killpg(self.process.pid, number)

    def stop(self) -> None:
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()

    def logged(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")


@dataclass
class Accounts:
    """The accounts of one deployment, by what they are used for: at which vendors, its configuration says."""

    crm: Account
    erp: Account
    psa: Account

    @property
    def env(self) -> dict[str, str]:
        return {name: value for account in self.all for name, value in account.env.items()}

    @property
    def all(self) -> tuple[Account, ...]:
        return (self.crm, self.erp, self.psa)


@dataclass
class Stack:
    """A deployment: its configuration, its stores, and the processes started so far."""

    folder: Path
    database_url: str
    cache_url: str
    accounts: Accounts
    settings: dict[str, str] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)
    port: int = field(default_factory=free_port)
    model: Path = DEMO_CONFIG
    """The configuration of which the deployment gets a copy."""

    def __post_init__(self) -> None:
        self.config = self.folder / "config"
        shutil.copytree(self.model, self.config)
        share_signing_keys(self.folder / "data" / "keys")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def edit(self, name: str, *changes: tuple[str, str]) -> None:
        """Change a configuration file; each text must be there."""
        path = self.config / name
        text = path.read_text(encoding="utf-8")
        for old, new in changes:
            assert old in text, f"{old!r} is not in {name}"
            text = text.replace(old, new)
        path.write_text(text, encoding="utf-8")

    def set_profile(self, instance: str, table: str, **values: Any) -> None:
        """Set numbers in a table of an instance's profile."""
        path = self.config / "instances" / f"{instance}.toml"
        head, mark, rest = path.read_text(encoding="utf-8").partition(f"[{table}]\n")
        assert mark, f"{instance} has no table {table}"
        for name, value in values.items():
            body, opening, others = rest.partition("\n[")
            body = re.sub(rf"(?m)^{name} = .*\n?", "", body)
            rest = f"{name} = {value}\n{body}{opening}{others}"
        path.write_text(head + mark + rest, encoding="utf-8")

    def append(self, name: str, text: str) -> None:
        """Add to a configuration file."""
        with (self.config / name).open("a", encoding="utf-8") as file:
            file.write(text)

    def add_instance(self, model: str, name: str, account: Account) -> None:
        """Another instance of a vendor, its profile copied from one that is there."""
        prefix = account.vendor.upper()
        own = f"{prefix}_{name.replace('-', '_').upper()}"
        text = (self.config / "instances" / f"{model}.toml").read_text(encoding="utf-8")
        text = text.replace(f"{prefix}_", f"{own}_").replace(f'"{model}"', f'"{name}"')
        (self.config / "instances" / f"{name}.toml").write_text(text, encoding="utf-8")
        self.settings |= {key.replace(f"{prefix}_", f"{own}_"): value for key, value in account.env.items()}

    def environment(self, **more: str) -> dict[str, str]:
        """The settings of a process of this deployment."""
        inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {
            **inherited,
            **self.accounts.env,
            "ENFILADE_DATABASE_URL": self.database_url,
            "ENFILADE_CACHE_URL": self.cache_url,
            "ENFILADE_CONFIG": str(self.config),
            "ENFILADE_DATA_DIR": str(self.folder / "data"),
            "ENFILADE_PUBLIC_URL": self.url,
            "ENFILADE_DRAIN_NOTICE_SECONDS": "0",
            "ENFILADE_STEP_PAUSE_SECONDS": "0.05",
            "ENFILADE_STEP_PATIENCE_SECONDS": "20",
            **self.settings,
            **more,
        }

    async def start(self, name: str = "deployment", *, port: int = 0, **more: str) -> Member:
        """Start a process and wait until it is ready; `more` as `launch` has it."""
        member = self.launch(name, port=port, **more)
        await self.ready(member)
        return member

    def launch(
        self, name: str = "deployment", *, port: int = 0, module: str = "deploy.cli.main", **settings: str
    ) -> Member:
        """Start a process without waiting."""
        port = port or (self.port if not self.members else free_port())
        log = self.folder / f"{name}.log"
        upper = {f"ENFILADE_{key.upper()}": value for key, value in settings.items()}
        internal = f"127.0.0.1:{free_port()}"
        environment = self.environment(
            ENFILADE_PORT=str(port),
            ENFILADE_INTERNAL_ADDRESS=internal,
            ENFILADE_EXECUTOR=f"{name}-{port}",
            **upper,
        )
        with log.open("ab") as output:
            process = fork(module, "serve", "--port", str(port), environ=environment, stdout=output.fileno())
        member = Member(name, port, f"http://{internal}", process, log)
        self.members.append(member)
        return member

    async def ready(self, member: Member) -> None:
        async def look() -> bool:
            assert member.process.poll() is None, f"{member.name} ended:\n{member.logged()[-4000:]}"
            try:
                answer = await http.get(f"{member.url}/health/ready")
            except httpx.TransportError:
                return False
            # A tier that stands alone has no such address; that it refuses is that it answers.
            return answer.status_code in (200, 401)

        async with httpx.AsyncClient() as http:
            await until(f"{member.name} is ready", look, READY_SECONDS)

    def stop(self) -> None:
        for member in self.members:
            member.stop()

    @asynccontextmanager
    async def database(self) -> AsyncIterator[Database]:
        """The deployment's database, with its keys: a test may write there what the deployment would."""
        keys = master_keys(read_settings(self.environment()), self.environment())
        async with open_database(self.database_url, keys) as database:
            yield database

    def token(self, consumer: str, subject: str = "", **claims: Any) -> str:
        """A token as `enfilade token` gives it."""
        settings = read_settings(self.environment())
        issuer = issuer_of(settings, read_consumers(self.config / "consumers.toml"))
        return issuer.mint(consumer, subject=subject, **claims)

    @asynccontextmanager
    async def caller(self, consumer: str, subject: str = "", **claims: Any) -> AsyncIterator["Caller"]:
        """Somebody with a token."""
        headers = {"Authorization": f"Bearer {self.token(consumer, subject, **claims)}"}
        async with httpx.AsyncClient(base_url=self.url, headers=headers, timeout=30) as http:
            yield Caller(http)


@dataclass
class Caller:
    """A consumer of the deployment."""

    http: httpx.AsyncClient

    async def get(self, path: str, **query: Any) -> Any:
        answer = await self.http.get(path, params=query)
        assert answer.is_success, f"GET {path}: {answer.status_code} {answer.text}"
        return answer.json()

    async def find(self, path: str, **query: Any) -> Any | None:
        answer = await self.http.get(path, params=query)
        assert answer.is_success or answer.status_code == 404, f"GET {path}: {answer.text}"
        return answer.json() if answer.is_success else None

    async def post(self, path: str, body: Any = None, key: str = "", **headers: str) -> httpx.Response:
        given = {"Idempotency-Key": key} if key else {}
        return await self.http.post(path, json=body, headers={**given, **headers})

    async def activate(self, opportunity_id: str) -> httpx.Response:
        return await self.http.post(f"/experience/crm-ui/v1/opportunities/{opportunity_id}/activation")

    async def activation(self, opportunity_id: str, *statuses: str, seconds: float = SETTLED_SECONDS) -> Any:
        """The activation once it has one of the statuses (any settled one by default)."""
        wanted = set(statuses) or SETTLED
        found: Any = None

        async def look() -> Any:
            nonlocal found
            found = await self.find(f"/experience/crm-ui/v1/opportunities/{opportunity_id}/activation")
            return found if found and found["status"] in wanted else None

        try:
            return await until(f"the activation of {opportunity_id} is {sorted(wanted)}", look, seconds)
        except AssertionError as error:
            error.add_note(f"It was last seen as {found}")
            raise

    async def overview(self, account_id: str, *statuses: str) -> Any:
        """The account's overview once its projects have these statuses, in any order."""

        async def look() -> Any:
            found = await self.find(f"/experience/crm-ui/v1/accounts/{account_id}/overview")
            shown = [card["activation_status"] for card in found.get("projects", ())] if found else []
            return found if sorted(shown) == sorted(statuses) else None

        return await until(f"the account {account_id} shows {statuses}", look)


@asynccontextmanager
async def open_accounts(sandbox_of: SandboxOf, config: Path = DEMO_CONFIG) -> AsyncIterator[Accounts]:
    """Fresh accounts at the vendors of the instances that play in a configuration, removed at the end."""
    cast = read_cast(config)
    accounts = Accounts(
        *[await (await sandbox_of(cast[role].vendor)).create_account() for role in (CRM, ERP, PSA)]
    )
    try:
        yield accounts
    finally:
        for account in accounts.all:
            await account.remove()
