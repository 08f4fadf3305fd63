"""The Salesforce stand-in's README: what it lists as served and as refused is what the code does."""

import json
import re
from pathlib import Path

import grpc.aio
import pytest

from sandbox.salesforce.errors import Refused
from sandbox.salesforce.proto import pubsub_api_pb2 as pb
from sandbox.salesforce.proto.pubsub_api_pb2_grpc import PubSubStub
from sandbox.salesforce.rest.dispatch import ANY, ID, NAME, TABLE
from sandbox.salesforce.schema.standard import standard_objects
from sandbox.salesforce.soql import parse

from .conftest import BASE

README = Path(parse.__file__).parents[1].joinpath("README.md").read_text()
_, _, AFTER = README.partition("## What is not imitated")
REFUSED, _, _ = AFTER.partition("\n## ")
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in REFUSED.splitlines()
    if line.startswith("| ") and "`" in line
]


def addresses(path: str) -> str:
    """An address of the README as the code writes it, whatever its parts are called."""
    return re.sub(r"\{\w+\}", "{}", path)


def test_the_resources_are_all_that_are_served():
    """Every resource of the code is in the README, with its methods, and no other."""
    listed = README.split("```")[1].strip().splitlines()
    written = [re.match(r"((?:[A-Z]+ )+) *(.+)", line) for line in listed]
    told = [(found[1].split(), addresses(found[2])) for found in written if found]
    served = []
    for pattern, methods in TABLE:
        path = pattern.replace("(?:query|queryAll)/" + ANY, "query/{} and /queryAll/{}")
        for part in (NAME, ID, ANY, "(.+)"):
            path = path.replace(part, "{}")
        served.append((list(methods), path or "/"))
    assert told == served


def test_the_objects_are_all_that_there_are():
    """Every object of the org is in the README."""
    found = re.search(r"^Objects: (.+?)\.$", README, re.MULTILINE | re.DOTALL)
    assert found
    assert found[1].replace("\n", " ").split(", ") == list(standard_objects())


@pytest.mark.parametrize("name", sorted(parse.FUNCTIONS_NOT_IMITATED | parse.CLAUSES_NOT_IMITATED))
def test_what_soql_lacks_is_listed_and_refused(name):
    """Each function and clause that the stand-in does not do is in the README, and is refused."""
    assert f"`{name}`" in REFUSED
    query = {
        "TYPEOF": "SELECT TYPEOF Owner WHEN User THEN Id END FROM Account",
        "HAVING": "SELECT Name FROM Account GROUP BY Name HAVING COUNT(Id) > 1",
    }.get(name, f"SELECT Id FROM Account {name} x")  # noqa: S608 - SOQL
    if name in parse.FUNCTIONS_NOT_IMITATED:
        query = f"SELECT {name}(CreatedDate) FROM Account"  # noqa: S608 - SOQL
    with pytest.raises(Refused, match="is not imitated by this stand-in"):
        parse.parse(query)


async def test_what_is_listed_is_refused(account, api):
    """Each example of the README has the answer that stands beside it."""
    wrong = {}
    for _, example, answer in ROWS:
        found = await refusal(account, api, example)
        if found != answer.replace("`", ""):
            wrong[example] = found
    assert (len(ROWS), wrong) == (23, {})


async def refusal(account, api, example: str) -> str:
    request, *more = re.findall(r"`([^`]+)`", example)
    method, path = request.split(" ", 1)
    if method == "gRPC":
        return await unimplemented(account, path)
    headers = {"Accept": more[0].partition(": ")[2]} if more and more[0].startswith("Accept") else {}
    body = json.loads(more[0]) if more and not headers else None
    if path.startswith("/services/oauth2/"):
        answer = await api.client.post(path, data=body)
        return f"{answer.status_code} {answer.json()['error']}"
    url = path if path.startswith(("/services/", "/cometd/", "/id/")) else f"{BASE}{path}"
    headers |= {"Authorization": f"Bearer {api.token}"}
    answer = await api.client.request(method, url, json=body, headers=headers)
    return f"{answer.status_code} {answer.json()[0]['errorCode']}"


async def unimplemented(account, name: str) -> str:
    async with grpc.aio.insecure_channel(account.credentials["pubsub_endpoint"]) as channel:
        call = getattr(PubSubStub(channel), name)(iter([pb.PublishRequest()]))
        return (await call.code()).name
