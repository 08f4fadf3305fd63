"""An account of one's own at the Kantata stand-in, and an ordinary client of its API."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest


@dataclass
class Api:
    """What an ordinary client does: JSON with a bearer token."""

    client: httpx.AsyncClient
    token: str

    async def send(self, method: str, path: str, body: Any = None, **query: Any) -> httpx.Response:
        return await self.client.request(
            method,
            f"/api/v1{path}",
            json=body,
            params=query,
            headers={"Authorization": f"Bearer {self.token}"},
        )

    async def get(self, path: str, **query: Any) -> dict[str, Any]:
        answer = await self.send("GET", path, **query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def rows(self, path: str, **query: Any) -> list[dict[str, Any]]:
        return in_order(await self.get(path, **query))

    async def make(self, path: str, **fields: Any) -> dict[str, Any]:
        """Create one under its singular key."""
        answer = await self.send("POST", path, {_singular(path): fields})
        assert answer.status_code == 200, answer.text
        return in_order(answer.json())[0]

    async def change(self, path: str, **fields: Any) -> dict[str, Any]:
        answer = await self.send("PUT", path, {_singular(path): fields})
        assert answer.status_code == 200, answer.text
        return in_order(answer.json())[0]

    async def refused(self, method: str, path: str, body: Any = None, **query: Any) -> tuple[int, Any]:
        answer = await self.send(method, path, body, **query)
        return answer.status_code, [
            (e["type"], e.get("field"), e["message"]) for e in answer.json()["errors"]
        ]


def in_order(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [body[each["key"]][each["id"]] for each in body["results"]]


def _singular(path: str) -> str:
    name = path.split("/")[1]
    return f"{name[:-3]}y" if name.endswith("ies") else name.removesuffix("s")


@pytest.fixture(scope="session")
async def kantata_sandbox(sandbox_of):
    return await sandbox_of("kantata")


@pytest.fixture
async def account(kantata_sandbox):
    return await kantata_sandbox.create_account()


@pytest.fixture
def as_user(kantata_sandbox):
    def build(token: str) -> Api:
        return Api(kantata_sandbox.control.client, token)

    return build


@pytest.fixture
def api(account, as_user):
    return as_user(account.credentials["token"])
