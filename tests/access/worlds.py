"""tests/access: three worlds in one deployment: two legal entities of one CRM org, and a second org."""

import asyncio
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
from sqlalchemy.engine import make_url

from tests.access.probing import World
from tests.support.deals import LARGE, Deal, new_deal
from tests.support.sandboxes import Account
from tests.support.stack import Caller, Stack, until

ACTIVATIONS = "/process/opportunity-to-project/v1/activations"
ACCOUNTS = "/process/projects/v1/accounts"
REQUESTS = "/process/customer-master/v1/requests"
CUSTOMERS = "/process/customers/v1/customers"
EXCEPTIONS = "/process/exceptions/v1/exceptions"
CASES = "/process/exception-cases/v1/cases"
PROJECTS = "/process/projects/v1/projects"
EVENTS = "/process/events/v1/events"
SCREEN = "/experience/crm-ui/v1"
AMERICAN = {
    "account": {"country": "US", "country_name": "United States", "currency": "USD"},
    "currency": "USD",
    "region": "NA",
    "rate_card": "RC-US-2026",
}
_SHORTEST = 5  # a shorter text is a word, and no mark of anybody


@dataclass(frozen=True)
class Place:
    """Where a world's deals are made."""

    name: str
    instance: str
    entity: str
    crm: Account
    fields: dict[str, Any]


async def make_worlds(deployment: Stack, places: list[Place]) -> dict[str, World]:
    """In each place a finished deal, one that is parked and one that waits for finance."""
    async with deployment.caller("ci", "carla") as ci:
        made = await asyncio.gather(*(_deals(ci, place) for place in places))
        seen = [await _look(ci, place, deals) for place, deals in zip(places, made, strict=True)]
    opportunities = await _our_ids(deployment)
    worlds = {}
    for place, deals, documents in zip(places, made, seen, strict=True):
        others = {text for told in seen if told is not documents for text in texts(told)}
        marks = {text for text in texts(documents) if len(text) >= _SHORTEST} - others
        ours = tuple(opportunities[deal.opportunity_id] for deal in deals)
        words = _words(place, deals, documents, ours)
        worlds[place.name] = World(place.name, words, _fakes(deals, words), frozenset(marks | set(ours)))
    return worlds


async def _deals(ci: Caller, place: Place) -> list[Deal]:
    """Done, parked, waiting; each pressed by a person."""
    kinds: list[dict[str, Any]] = [{}, {"rate_card": None}, {"credit_limit": LARGE}]
    deals = []
    for number, kind in enumerate(kinds):
        fields = {"stage": "won", "amount": 71000 + number * 111, **place.fields, **kind}
        deals.append(await new_deal(place.crm, **fields))
    # The event path: a deal that lacks something is not refused to anybody, it parks.
    await asyncio.gather(*(deal.close() for deal in deals))
    body = {"instance": place.instance, "within": 3}
    for deal in (deals[0], deals[2]):
        key = f"press-{deal.opportunity_id}"
        answer = await ci.post(ACTIVATIONS, {**body, "opportunity_id": deal.opportunity_id}, key=key)
        assert answer.status_code == 202, answer.text
    wanted = zip(deals, ("done", "parked", "waiting"), strict=True)
    await asyncio.gather(*(_settled(ci, f"{ACTIVATIONS}/{_activation(place, d)}", s) for d, s in wanted))
    await _settled(ci, f"{REQUESTS}/creq_{place.instance}.{deals[2].account_id}.{place.entity}", "waiting")
    return deals


async def _settled(ci: Caller, path: str, status: str) -> None:
    async def look() -> bool:
        found = await ci.find(path)
        return bool(found) and found["status"] == status

    await until(f"{path} is {status}", look)


def _activation(place: Place, deal: Deal) -> str:
    return f"act_{place.instance}.{deal.opportunity_id}.r1"


async def _look(ci: Caller, place: Place, deals: list[Deal]) -> dict[str, Any]:
    """Everything that the deployment knows of a place's deals."""
    activations = [await ci.get(f"{ACTIVATIONS}/{_activation(place, deal)}") for deal in deals]
    requests = [
        await ci.get(f"{REQUESTS}/{activation['customer_request_id']}")
        for activation in activations
        if activation.get("customer_request_id")
    ]
    correlations = {activation["correlation_id"] for activation in activations}
    events = [event for event in await _events(ci) if event["correlationid"] in correlations]
    return {
        "activations": activations,
        "requests": requests,
        "exceptions": [await ci.get(f"{EXCEPTIONS}/{activations[1]['exception_id']}")],
        "cases": [await _seen(ci, f"{CASES}/{activations[1]['exception_id']}")],
        "customers": [await _seen(ci, f"{CUSTOMERS}/{activations[0]['customer_id']}")],
        "accounts": [
            await _seen(ci, f"{ACCOUNTS}/{place.instance}/{deal.account_id}") for deal in deals[::2]
        ],
        "events": events,
    }


async def _seen(ci: Caller, path: str) -> dict[str, Any]:
    """What a view has, as soon as it does."""
    return await until(f"a view has {path}", lambda: ci.find(path))


async def _events(ci: Caller) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        page = await ci.get(EVENTS, limit=200, **cursor)
        found += page["items"]
        if not page["items"]:
            return found
        cursor = {"cursor": page["next_cursor"]}


async def _our_ids(deployment: Stack) -> dict[str, str]:
    """Our ids of opportunities by the CRM's: no API shows them, and every API takes them."""
    address = make_url(deployment.database_url)
    connection = await psycopg.AsyncConnection.connect(
        host=str(address.query["host"]),
        port=str(address.query["port"]),
        user=address.username,
        dbname=address.database,
    )
    async with connection:
        query = "SELECT vendor_id, id FROM enfilade.crossrefs WHERE kind = 'opportunity'"
        return {row[0]: row[1] for row in await (await connection.execute(query)).fetchall()}


def texts(value: Any) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from texts(part)


def _words(
    place: Place, deals: list[Deal], seen: dict[str, Any], ours: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    done = seen["activations"][0]
    customer = seen["customers"][0]
    return {
        "instance": (place.instance,),
        "selling_entity": (place.entity,),
        "opportunity_id": (*(deal.opportunity_id for deal in deals), ours[0]),
        "account_id": (deals[0].account_id, deals[2].account_id),
        "flow": ("opportunity-to-project", "customer-master"),
        "activation_id": tuple(activation["id"] for activation in seen["activations"]),
        "workflow_id": tuple(one["id"] for one in (*seen["activations"], *seen["requests"])),
        "exception_id": tuple(case["id"] for case in seen["exceptions"]),
        "request_id": tuple(request["id"] for request in seen["requests"]),
        "customer_id": (customer["id"], *(ref["id"] for ref in customer["refs"])),
        "contract_id": (done["contract_id"], _ref(done, "contract")),
        "project_id": (done["project_id"], _ref(done, "project")),
        "key": tuple(_keys(place, deals[0])),
        "domain": ("nowhere.example",),  # a search wants something to search for
        "subject": (done["id"], done["project_id"], customer["id"], seen["exceptions"][0]["id"]),
    }


def _keys(place: Place, deal: Deal) -> Iterator[str]:
    """The keys under which customer, contract and project were made at the vendors."""
    yield f"enf-cus-{place.instance}-{deal.account_id}-{place.entity}"
    yield from (f"enf-{kind}-{place.instance}-{deal.opportunity_id}-r1" for kind in ("con", "prj"))


def _ref(activation: dict[str, Any], kind: str) -> str:
    return next(ref["id"] for ref in activation["refs"] if ref["object"] == kind)


def _fakes(deals: list[Deal], words: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """For each id one of its shape that nobody has: a CRM record's, ours, another vendor's number."""
    crm = {deal.opportunity_id for deal in deals} | {deal.account_id for deal in deals}
    found = {real: f"{real[:3]}000000990000AAA" for real in crm}
    every = {word for options in words.values() for word in options}
    found |= {word: word[:4] + "0" * 26 for word in every if re.fullmatch(r"[a-z]{3}_[0-9a-z]{26}", word)}
    found |= {word: "9" * len(word) for word in every if re.fullmatch(r"[0-9]+", word)}
    return found
