"""A toy vendor on the shared core: notes that can be read and written, with a bearer token per account."""

import contextlib
from pathlib import Path

import httpx
import pytest
from starlette.routing import Route

from sandbox.core import ControlError, Vendor, answer, body_of, loads
from sandbox.core.server import serving


class Toy(Vendor):
    name = "toy"
    title = "Toy"
    request_id_header = "x-toy-id"

    def __init__(self):
        self.delivered = []

    def seed(self, account):
        if not account.settings.get("empty"):
            self.create(account, "note", {"text": f"seed {account.seed}"})

    def credentials(self, account, base_url):
        return {"token": account.secret("token"), "url": base_url}

    def environment(self, account, base_url, files: Path):  # noqa: ARG002
        return {"TOY_TOKEN": account.secret("token"), "TOY_NOTE": "it's quoted"}

    def account_of(self, world, request):
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        return world.find(lambda account: account.secret("token") == token)

    def routes(self, world):  # noqa: ARG002
        return [
            Route("/notes", self.post_note, methods=["POST"]),
            Route("/notes", self.list_notes, methods=["GET"]),
        ]

    async def post_note(self, request):
        account = request.state.account
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if account is None or account.is_dead(token):
            return answer({"error": "login"}, 401)
        request.state.principal = account.name
        made = self.create(account, "note", loads(body_of(request)))
        return answer(made, 201, {"x-toy-id": account.token("call", 8)})

    async def list_notes(self, request):
        return answer(list(request.state.account.tables.get("note", {}).values()))

    def create(self, account, record_type, fields):
        if "text" not in fields:
            raise ControlError("A note needs text")
        made = account.tables.setdefault(record_type, {})[self.insert(account, record_type, dict(fields))]
        account.touch()
        account.notifications.publish({"id": made["id"]})
        return made

    def edit(self, account, record_type, record_id, fields):
        account.tables[record_type][record_id].update(fields)
        return account.tables[record_type][record_id]

    def deliver(self, account, event):  # noqa: ARG002
        self.delivered.append(event)


class Bench:
    """A running toy with a client for its wire and one for its control API."""

    def __init__(self, world, wire, control):
        self.world, self.wire, self.control = world, wire, control
        self.vendor = world.stand_in
        self.account = world.get("story")


@contextlib.asynccontextmanager
async def bench(**options):
    async with (
        serving(Toy(), **options) as world,
        httpx.AsyncClient(base_url=world.base_url, trust_env=False) as wire,
    ):
        wire.headers["authorization"] = f"Bearer {world.get('story').secret('token')}"
        control = httpx.AsyncClient(base_url=f"{world.base_url}/__control/accounts/story", trust_env=False)
        async with control:
            yield Bench(world, wire, control)


@pytest.fixture
async def toy():
    async with bench() as running:
        yield running
