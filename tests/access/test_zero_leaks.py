"""Nobody learns anything of others' rows: every operation, every persona, every id of others, over HTTP."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from contracts.operation import Api
from deploy.composition.interfaces import frozen, interfaces
from kit.operations import api_of
from tests.access.conftest import Everybody
from tests.access.probing import Persona, Probe, Target, Words, World, probes, targets_of
from tests.access.worlds import ACTIVATIONS, CASES, EVENTS, EXCEPTIONS, PROJECTS, REQUESTS, texts
from tests.support.instances import CRM_INSTANCE, ERP_INSTANCE, PSA_INSTANCE

# Where a system API of the demo stands: the worlds share the ledger and the PSA, and have their own CRM.
SYSTEMS = {"crm": "", "erp": ERP_INSTANCE, "psa": PSA_INSTANCE}
LISTS = (ACTIVATIONS, REQUESTS, EXCEPTIONS, EVENTS, CASES, PROJECTS)
PUBLIC = [interface for interface in interfaces() if api_of(interface).tier != "gateway"]
TARGETS = [
    (api_of(interface), target)
    for interface in PUBLIC
    for target in targets_of(api_of(interface).prefix, frozen(interface))
]


def placed(api: Api, target: Target, world: World) -> Target:
    """The operation where the world's rows are."""
    instance = SYSTEMS.get(api.name) or world.words["instance"][0]
    path = target.path if api.tier != "system" else target.path.replace("{instance}", instance, 1)
    return Target(target.name, target.method, path, target.shape, target.components)


def mixed(target: Target, persona: Persona, world: World, everybody: Everybody) -> Iterator[Words]:
    """The world's ids, and again with the instance that is the persona's own.

    Whoever proposes an account of his own org begins a case of his own, whatever the account is called.
    """
    words = {name: options[:1] for name, options in world.words.items()} if target.of_system else world.words
    yield words
    if target.name == "customer_master.propose_customer":
        return
    for own in [everybody.worlds[name].words for name in sorted(persona.owns)]:
        if own["instance"] != world.words["instance"]:
            yield {**words, "instance": own["instance"]}


SAMPLED_EVERY = 5


@pytest.mark.parametrize(("api", "target"), TARGETS, ids=[target.name for _, target in TARGETS])
async def test_nothing_is_learned_of_others_rows(api: Api, target: Target, everybody: Everybody) -> None:
    """Not by reading, listing, filtering, writing, nor by how a refusal differs from that of nobody's id."""
    await expect_no_leak(api, target, everybody, SAMPLED_EVERY)


@pytest.mark.whole
@pytest.mark.parametrize(("api", "target"), TARGETS, ids=[target.name for _, target in TARGETS])
async def test_nothing_is_learned_by_any_probe(api: Api, target: Target, everybody: Everybody) -> None:
    """The same with every probe of every persona."""
    await expect_no_leak(api, target, everybody, 1)


async def expect_no_leak(api: Api, target: Target, everybody: Everybody, every: int) -> None:
    """Try one probe in so many; which of them differs from persona to persona and from target to target."""
    before = await state(everybody) if target.method != "GET" else {}
    work = [
        everybody.prober.leaks(persona, world, probe)
        for persona, world in everybody.foreign()
        for words in mixed(target, persona, world, everybody)
        for probe in probes(placed(api, target, world), words)
    ]
    chosen = work[len(target.name) % every :: every]
    for unused in set(work) - set(chosen):
        unused.close()
    found = [leak for leaks in await in_turns(chosen) for leak in leaks]
    assert found == []
    if target.method != "GET":
        assert await state(everybody) == before, "a row of others has changed"


async def in_turns(work: list[Any], at_once: int = 16) -> list[Any]:
    gate = asyncio.Semaphore(at_once)

    async def one(each: Any) -> Any:
        async with gate:
            return await each

    return await asyncio.gather(*(one(each) for each in work))


async def state(everybody: Everybody) -> dict[str, Any]:
    """Every world's rows as whoever sees everything finds them."""
    found = {}
    for world in everybody.worlds.values():
        for path, name in (
            (ACTIVATIONS, "activation_id"),
            (REQUESTS, "request_id"),
            (EXCEPTIONS, "exception_id"),
        ):
            for word in world.words[name]:
                answer = await everybody.prober.send(everybody.admin, Probe("GET", f"{path}/{word}"))
                assert answer.status_code == 200, answer.text
                found[word] = answer.json()
    return found


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_holds_all_own_rows_and_no_others(path: str, everybody: Everybody) -> None:
    """Page by page: a persona is shown what the one who sees everything is shown of its worlds."""
    whole = await pages(everybody, everybody.admin, path)
    for persona in everybody.personas:
        if persona.name in {"main", "main-us", "other", "desk-uk", "desk-us", "una of desk-open"}:
            foreign = [world for world in everybody.worlds.values() if world.name not in persona.owns]
            own = [everybody.worlds[name] for name in persona.owns]
            shown = [item for item in await pages(everybody, persona, path) if _of_a_world(item, everybody)]
            assert not [item for item in shown if any(w.marks_in(" ".join(texts(item))) for w in foreign)]
            wanted = [item for item in whole if any(w.marks_in(" ".join(texts(item))) for w in own)]
            if path == EVENTS:  # what a vendor tells of its records is for who sees everything
                wanted = [event for event in wanted if not event["id"].startswith(f"evt_{PSA_INSTANCE}")]
            assert ids(shown) == ids(wanted), persona.name


def _of_a_world(item: dict[str, Any], everybody: Everybody) -> bool:
    """Whether it is about a world's deals, and not about one that another test has made."""
    return any(world.marks_in(" ".join(texts(item))) for world in everybody.worlds.values())


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item.get("id") or item.get("exception_id") or item["opportunity_id"] for item in items]


async def pages(everybody: Everybody, persona: Persona, path: str) -> list[dict[str, Any]]:
    """All items, in pages so small that a row left out after paging would leave a gap."""
    found: list[dict[str, Any]] = []
    query: dict[str, str] = {"limit": "7"}
    while True:
        page = (await everybody.prober.send(persona, Probe("GET", path, query))).json()
        found += page["items"]
        assert path == EVENTS or len(page["items"]) == 7 or not page.get("next_cursor"), "a page with a gap"
        if not page.get("next_cursor") or not page["items"]:
            return found
        query["cursor"] = page["next_cursor"]


@pytest.mark.parametrize("path", LISTS)
async def test_anothers_cursor_opens_nothing(path: str, everybody: Everybody) -> None:
    """A cursor of the one who sees everything shows others only their own rows, wherever it points."""
    send = everybody.prober.send
    cursor = ""
    for _ in range(6):
        query = {"limit": "1", **({"cursor": cursor} if cursor else {})}
        cursor = (await send(everybody.admin, Probe("GET", path, query))).json().get("next_cursor", "")
        if not cursor:
            return
        for persona, world in everybody.foreign():
            answer = await send(persona, Probe("GET", path, {"cursor": cursor, "limit": "200"}))
            assert world.marks_in(answer.text) == set(), persona.name


async def test_anothers_idempotency_key_replays_nothing(everybody: Everybody) -> None:
    """The same key and body from another consumer, or another person of the same one, is another request."""
    owner = Persona(
        "ursula of desk-open", everybody.deployment.token("desk-open", "ursula", entities=["NB-UK"])
    )
    world = everybody.worlds["uk"]
    body = {"instance": CRM_INSTANCE, "opportunity_id": world.words["opportunity_id"][0]}
    for number, (persona, foreign) in enumerate(everybody.foreign()):
        if foreign is world:
            key = {"Idempotency-Key": f"shared-key-{number:04}"}
            probe = Probe("POST", ACTIVATIONS, headers=key, body=body)
            assert await everybody.prober.replays(owner, persona, world, probe) == []


WITH_BODY = [(api, target) for api, target in TARGETS if target.body is not None]


@pytest.mark.parametrize(("api", "target"), WITH_BODY, ids=[target.name for _, target in WITH_BODY])
async def test_what_a_caller_does_not_own_it_cannot_write(
    api: Api, target: Target, everybody: Everybody
) -> None:
    """A body with one more property, be it one of the answer's own, is refused whole."""
    world = everybody.worlds["uk"]
    (probe, *_) = probes(placed(api, target, world), world.words)
    known = set(probe.body)
    for name in sorted(readonly(target) - known - accepted(target)):
        again = Probe(probe.method, probe.path, probe.query, probe.headers, {**probe.body, name: "x"})
        answer = await everybody.prober.send(everybody.admin, again)
        assert (answer.status_code, answer.json()["code"]) == (422, "invalid"), (name, answer.text)
        assert f"/{name}" in {fault["pointer"] for fault in answer.json()["errors"]}


def readonly(target: Target) -> set[str]:
    """What the answer shows, and what only the deployment may decide."""
    success = next(shape for status, shape in target.shape["responses"].items() if status.startswith("2"))
    answer = resolved(success["content"]["application/json"]["schema"], target)
    return {*answer["properties"], "id", "version", "status", "entity", "owner", "decided_by", "requested_by"}


def accepted(target: Target) -> set[str]:
    return set(resolved(target.body or {}, target).get("properties", {}))


def resolved(schema: dict[str, Any], target: Target) -> dict[str, Any]:
    name = schema.get("$ref", "").rpartition("/")[2]
    whole = target.components[name] if name else schema
    return {**whole, **{key: value for key, value in schema.items() if key != "$ref"}}


async def test_the_probes_ask_for_what_is_there(everybody: Everybody) -> None:
    """Who sees everything gets every row that the probes ask for: what others are refused exists."""
    missed = []
    for api, target in TARGETS:
        if target.method != "GET" or api.tier == "experience":
            continue
        for world in everybody.worlds.values():
            found = [
                (await everybody.prober.send(everybody.admin, probe)).status_code
                for probe in probes(placed(api, target, world), world.words)
            ]
            if 200 not in found:
                missed.append((target.name, world.name, found))
    assert missed == []


async def test_everybody_sees_his_own(everybody: Everybody) -> None:
    """The bounds let through what they should: each persona's rows are there for him, whole."""
    for persona in everybody.personas:
        if persona.name in {"crm-screen", "main", "other"}:
            for name in persona.owns:
                world = everybody.worlds[name]
                path = f"/experience/crm-ui/v1/accounts/{world.words['account_id'][0]}/overview"
                answer = await everybody.prober.send(persona, Probe("GET", path))
                assert answer.status_code == 200, answer.text
                assert world.marks_in(answer.text)
