"""An org of one's own at the Salesforce stand-in, and ordinary clients of its REST and Pub/Sub APIs."""

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass, field
from decimal import Decimal
from io import BytesIO
from typing import Any

import grpc.aio
import httpx
import pytest
from fastavro import parse_schema, schemaless_reader
from joserfc import jwt
from joserfc.jwk import RSAKey

from sandbox.salesforce.proto import pubsub_api_pb2 as pb
from sandbox.salesforce.proto.pubsub_api_pb2_grpc import PubSubStub

BASE = "/services/data/v66.0"


@dataclass
class Api:
    """What an ordinary client does: JSON with a session, exact numbers back."""

    client: httpx.AsyncClient
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    async def send(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        url = path if path.startswith("/services/") else f"{BASE}{path}"
        headers = {"Authorization": f"Bearer {self.token}", **self.headers, **more.pop("headers", {})}
        return await self.client.request(method, url, json=body, headers=headers, **more)

    async def get(self, path: str, **query: Any) -> Any:
        answer = await self.send("GET", path, params=query)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.content, parse_float=Decimal)

    async def post(self, path: str, body: Any) -> Any:
        answer = await self.send("POST", path, body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()

    async def soql(self, text: str) -> list[dict[str, Any]]:
        return (await self.get("/query", q=text))["records"]

    async def refused(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, str, str]:
        answer = await self.send(method, path, body, **more)
        [error] = answer.json()
        return answer.status_code, error["errorCode"], error["message"]


@pytest.fixture(scope="session")
async def salesforce_sandbox(sandbox_of):
    return await sandbox_of("salesforce")


@pytest.fixture
async def account(salesforce_sandbox):
    return await salesforce_sandbox.create_account()


@pytest.fixture
def client(salesforce_sandbox):
    return salesforce_sandbox.control.client


@pytest.fixture
def login(client):
    async def build(account) -> str:
        known = account.credentials
        form = {"grant_type": "client_credentials", "client_id": known["client_id"]}
        answer = await client.post(
            "/services/oauth2/token", data=form | {"client_secret": known["client_secret"]}
        )
        assert answer.status_code == 200, answer.text
        return answer.json()["access_token"]

    return build


@pytest.fixture
async def api(account, client, login):
    return Api(client, await login(account))


@pytest.fixture
def assertion():
    def build(account, **claims: Any) -> str:
        known = account.credentials
        whole = {
            "iss": known["client_id"], "sub": known["username"], "aud": "https://login.salesforce.com",
            "exp": int(time.time()) + 180,
        } | claims  # fmt: skip
        return jwt.encode({"alg": "RS256"}, whole, RSAKey.import_key(known["private_key"]))

    return build


class Stream:
    """A Pub/Sub client: one subscription and the schemas of its events."""

    def __init__(self, account, token: str) -> None:
        known = account.credentials
        self.metadata = (
            ("accesstoken", token), ("instanceurl", known["instance_url"]), ("tenantid", known["org_id"]),
        )  # fmt: skip
        self.channel = grpc.aio.insecure_channel(known["pubsub_endpoint"])
        self.stub = PubSubStub(self.channel)
        self.schemas: dict[str, Any] = {}

    async def open(self, topic: str = "/data/OpportunityChangeEvent", wanted: int = 100, **start: Any):
        self.call = self.stub.Subscribe(metadata=self.metadata)
        # A refusal may show at the writing already; `failure` reads it then.
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await self.call.write(pb.FetchRequest(topic_name=topic, num_requested=wanted, **start))
        return self

    async def ready(self) -> "Stream":
        """Opened at the latest place and known to be there: its keep-alive has come."""
        await self.open()
        assert not (await self.call.read()).events
        return self

    async def more(self, wanted: int) -> None:
        await self.call.write(pb.FetchRequest(num_requested=wanted))

    async def schema(self, schema_id: str) -> dict[str, Any]:
        if schema_id not in self.schemas:
            info = await self.stub.GetSchema(pb.SchemaRequest(schema_id=schema_id), metadata=self.metadata)
            self.schemas[schema_id] = json.loads(info.schema_json)
        return self.schemas[schema_id]

    async def read(self) -> list[tuple[bytes, dict[str, Any], dict[str, Any]]]:
        """The next events: place, schema, record; keep-alives are passed over."""
        while True:
            response = await self.call.read()
            assert response is not grpc.aio.EOF, await self.call.code()
            found = []
            for consumed in response.events:
                schema = await self.schema(consumed.event.schema_id)
                record = schemaless_reader(BytesIO(consumed.event.payload), parse_schema(schema), None)
                found.append((consumed.replay_id, schema, record))
            if found:
                return found

    async def one(self) -> dict[str, Any]:
        [(_, _, record)] = await self.read()
        return record

    async def _to_the_end(self) -> None:
        while await self.call.read() is not grpc.aio.EOF:
            pass

    async def failure(self) -> tuple[str, str]:
        """Status and the vendor's code from the trailers."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self._to_the_end()
        trailers = dict(caught.value.trailing_metadata() or ())
        return caught.value.code().name, trailers.get("error-code", "")


@pytest.fixture
async def streams():
    made: list[Stream] = []

    def build(account, token: str) -> Stream:
        made.append(Stream(account, token))
        return made[-1]

    yield build
    for stream in made:
        await stream.channel.close()


def fields_of(schema: dict[str, Any], bitmaps: list[str]) -> list[str]:
    """Bitmaps back to names, as the vendor's guide says: bits from the right, in the schema's order."""
    names = []
    for bitmap in bitmaps:
        place, dash, bits = bitmap.rpartition("-")
        fields = schema["fields"]
        whole = ""
        if dash:
            outer = fields[int(place)]
            whole = outer["name"] + "."
            kind = outer["type"][1]
            fields = kind["fields"] if isinstance(kind, dict) else address_fields(schema)
        number = int(bits, 16)
        names += [whole + f["name"] for i, f in enumerate(fields) if number >> i & 1]
    return names


def address_fields(schema: dict[str, Any]) -> list[dict[str, Any]]:
    billing = next(f for f in schema["fields"] if f["name"] == "BillingAddress")
    return billing["type"][1]["fields"]
