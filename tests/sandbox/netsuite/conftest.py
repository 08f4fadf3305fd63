"""One running NetSuite stand-in, and per test an account of its own with a logged-in client."""

import itertools
import time

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from sandbox.core.server import serving
from sandbox.netsuite.vendor import VENDOR

JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_numbers = itertools.count(1)


class Tester:
    """An account's wire and control API; `token()` logs in as an ordinary client does."""

    def __init__(self, made, client, base_url):
        self.name = made["name"]
        self.known = made["credentials"]
        self.env = made["env"]
        self.client = client
        self.base_url = base_url
        self.headers = {}

    def assertion(self, *, alg="ES256", key=None, header=None, **claims):
        now = int(time.time())
        said = {
            "iss": self.known["client_id"],
            "aud": self.known["token_url"],
            "scope": ["rest_webservices"],
            "iat": now,
            "exp": now + 600,
            **claims,
        }
        key = key or ECKey.import_key(self.known["private_key"])
        head = {"alg": alg, "typ": "JWT", "kid": self.known["certificate_id"], **(header or {})}
        return jwt.encode(head, said, key, algorithms=[alg])

    async def ask_token(self, assertion=None, **form):
        sent = {
            "grant_type": "client_credentials",
            "client_assertion_type": JWT_BEARER,
            "client_assertion": assertion or self.assertion(),
            **form,
        }
        return await self.client.post(self.known["token_url"], data=sent)

    async def log_in(self):
        answer = await self.ask_token()
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}
        return self

    async def call(self, method, path, body=None, headers=None, **params):
        return await self.client.request(
            method,
            f"{self.base_url}/services/rest/{path}",
            json=body,
            params=params,
            headers={**self.headers, "X-NetSuite-PropertyNameValidation": "Error", **(headers or {})},
        )

    async def record(self, method, path, body=None, headers=None, **params):
        return await self.call(method, f"record/v1/{path}", body, headers, **params)

    async def make(self, kind, body):
        """POST a record; its id."""
        answer = await self.record("POST", kind, body)
        assert answer.status_code == 204, answer.text
        return answer.headers["location"].rsplit("/", 1)[1]

    async def read(self, path, **params):
        answer = await self.record("GET", path, **params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def sql(self, q, params=None, **query):
        body = {"q": q} if params is None else {"q": q, "params": params}
        return await self.call("POST", "query/v1/suiteql", body, {"Prefer": "transient"}, **query)

    async def rows(self, q, params=None, **query):
        answer = await self.sql(q, params, **query)
        assert answer.status_code == 200, answer.text
        return [{k: v for k, v in row.items() if k != "links"} for row in answer.json()["items"]]

    async def control(self, method, path, body=None):
        return await self.client.request(
            method, f"{self.base_url}/__control/accounts/{self.name}/{path}", json=body
        )


@pytest.fixture(scope="session")
async def sandbox():
    async with serving(VENDOR) as world:
        yield world


@pytest.fixture
async def client():
    async with httpx.AsyncClient(trust_env=False, timeout=15) as made:
        yield made


@pytest.fixture
async def new_account(sandbox, client):
    async def make(**settings):
        body = {"name": f"t{next(_numbers)}", "settings": settings}
        made = (await client.post(f"{sandbox.base_url}/__control/accounts", json=body)).json()
        tester = Tester(made, client, sandbox.base_url)
        return tester if settings.get("certificate") == "rsa" else await tester.log_in()

    return make


@pytest.fixture
async def ns(new_account):
    return await new_account()


ACME = {"companyName": "Acme Advisory LLP", "subsidiary": {"id": "2"}, "externalId": "CRM-001"}


@pytest.fixture
async def acme(ns):
    """A customer of the British company."""
    return await ns.make("customer", ACME)


def order(customer, *lines, **more):
    items = [{"item": {"id": "11"}, "quantity": q, "rate": r} for q, r in lines or [(10, 150)]]
    return {"entity": {"id": customer}, "item": {"items": items}, **more}


def refusal(answer):
    """Status, code and sentence of an error envelope."""
    error = answer.json()["o:errorDetails"][0]
    return answer.status_code, error["o:errorCode"], error["detail"]
