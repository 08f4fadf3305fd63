"""Whatever the PSA: one client and one whole project per key, cancelled and revived, listed once."""

import datetime as dt
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from contracts.canonical.project import ClientDraft, ProjectDraft, StaffingDemand, TaskPlan
from contracts.canonical.values import Money
from contracts.problems import NotFound
from tests.conformance.common import (
    Put,
    alike,
    lists_once_in_order,
    tells_bad_answers,
)
from tests.conformance.conftest import ConnectorUnderTest, connectors
from tests.conformance.keyed import keyed

CAPABILITY = "psa"
NOUNS = ("client", "project")
pytestmark = pytest.mark.parametrize("connector", connectors(CAPABILITY), indirect=True)

START, END = dt.date(2028, 2, 29), dt.date(2028, 12, 31)
CLIENT = ClientDraft(name="Globex GmbH", website="https://globex.example")


def gbp(amount: str) -> Money:
    return Money(Decimal(amount), "GBP")


def project(client_id: str, **changes: Any) -> ProjectDraft:
    draft = ProjectDraft(
        name="Globex data platform",
        client_id=client_id,
        contract_number="SO-1001",
        template="DT-DATA-PLATFORM",
        start=START,
        end=END,
        currency="GBP",
        pricing_model="fixed_price",
        service_line="DATA",
        region="UKI",
        budget=gbp("180000"),
        budget_hours=Decimal("132.5"),
        tasks=(
            TaskPlan("DISC", "Discovery", start=START, due=dt.date(2028, 3, 31), hours=Decimal("96.25")),
            TaskPlan(
                "WORK", "Workshops", start=START, due=dt.date(2028, 3, 1), hours=Decimal(24), parent="DISC"
            ),
            TaskPlan("M1", "Platform live", kind="milestone", due=END, amount=gbp("180000.00")),
        ),
        staffing=(
            StaffingDemand("Data Engineer", START, END, Decimal(100), region="UKI"),
            StaffingDemand("Engagement Manager", START, END, Decimal("32.5"), region="UKI"),
        ),
    )
    return msgspec.structs.replace(draft, **changes)


async def actions(connector: ConnectorUnderTest, noun: str) -> tuple[Put, Put]:
    """How the noun is put and got, under a key of its own."""
    if noun == "client":
        return (lambda api: api.put_client("enf-1", CLIENT)), (lambda api: api.get_client_by_key("enf-1"))
    owner = await connector.api.put_client("enf-owner", CLIENT)
    draft = project(owner.id)
    return (lambda api: api.put_project("enf-1", draft)), (lambda api: api.get_project_by_key("enf-1"))


(
    test_a_key_makes_one,
    test_first_creations_at_once_make_one,
    test_a_lost_answer_makes_one,
    test_a_write_without_an_answer_is_doubtful,
) = keyed(NOUNS, actions)


async def test_keys_of_any_length_are_told_apart(connector: ConnectorUnderTest) -> None:
    """Of two keys that differ in their last character only, each makes one client, found again by it."""
    keys = ["enf-client-" + letter.rjust(40, "x") for letter in "ab"]
    made = [(await connector.api.put_client(key, CLIENT)).id for key in (*keys, *keys)]
    found = [(await connector.api.get_client_by_key(key)).id for key in keys]
    assert made == found * 2
    assert len(set(found)) == 2


async def test_what_is_not_there_is_not_found(connector: ConnectorUnderTest) -> None:
    """Ids and keys."""
    api = connector.api
    for read in (
        lambda: api.get_client_by_key("nobody"),
        lambda: api.get_project("99999999"),
        lambda: api.get_project("nobody"),
        lambda: api.get_project_by_key("nobody"),
        lambda: api.cancel_project("nobody"),
    ):
        with pytest.raises(NotFound):
            await read()


async def test_a_client_is_found(connector: ConnectorUnderTest) -> None:
    """By its name however it is spelled, or by its domain, each alone; another firm is not."""
    mine = await connector.api.put_client("enf-1", CLIENT)
    accented = await connector.api.put_client("enf-2", ClientDraft(name="Müller & Söhne AG"))
    await connector.api.put_client("enf-3", ClientDraft(name="Umbrella", website="https://umbrella.example"))
    for wanted, expected in (
        ({"name": "GLOBEX, Inc."}, mine),
        ({"domain": "globex.example"}, mine),
        ({"name": "Somebody", "domain": "globex.example"}, mine),
        ({"name": "Müller und Söhne"}, accented),
    ):
        found = await connector.api.find_clients(**wanted)
        assert [client.id for client in found.items] == [expected.id], wanted
        assert alike(found.items[0], expected)
    for nobody in ({"name": "Nobody at All"}, {"name": "Glob"}, {"domain": "x.globex.example"}, {}):
        assert not (await connector.api.find_clients(**nobody)).items


async def test_cancelled_and_put_again_it_is_the_same_one(connector: ConnectorUnderTest) -> None:
    """Cancelling twice changes nothing; a put revives the same project, whole."""
    put, get = await actions(connector, "project")
    made = await put(connector.api)
    before = await connector.count("project")
    cancelled = await connector.api.cancel_project("enf-1")
    assert (cancelled.id, cancelled.status) == (made.id, "cancelled")
    assert alike(await connector.api.cancel_project("enf-1"), cancelled)
    found = await get(connector.api)
    assert (found.id, found.status) == (made.id, "cancelled")
    revived = await put(connector.api)
    assert (revived.id, revived.status) == (made.id, made.status)
    assert (len(revived.tasks), len(revived.planned_roles)) == (3, 2)
    assert await connector.count("project") == before


async def test_it_reads_back_what_was_written(connector: ConnectorUnderTest) -> None:
    """Budget, hours to the minute, days to the day, tasks, milestones and planned roles."""
    put, _ = await actions(connector, "project")
    made = await put(connector.api)
    draft = project("x")
    assert alike(await connector.api.get_project(made.id), made)
    assert (made.name, made.start, made.end, made.budget) == (draft.name, START, END, draft.budget)
    tasks = {task.title: task for task in made.tasks}
    for plan in draft.tasks:
        task = tasks[plan.title]
        assert (task.kind, task.start, task.due) == (plan.kind, plan.start, plan.due)
        assert plan.hours is None or task.hours == plan.hours
    planned = {(role.role, role.start, role.end, role.hours) for role in made.planned_roles}
    assert planned == {(role.role, role.start, role.end, role.hours) for role in draft.staffing}


async def test_lists_give_everything_once(connector: ConnectorUnderTest) -> None:
    """Page by page, whatever the size of the pages."""
    owner = await connector.api.put_client("enf-owner", CLIENT)
    for number in range(4):
        bare = project(owner.id, name=f"Project {number}", tasks=(), staffing=())
        await connector.api.put_project(f"enf-{number}", bare)
    await lists_once_in_order(connector.api.list_projects, at_least=4)


async def test_bad_answers_are_told(connector: ConnectorUnderTest) -> None:
    """Each by its name, and nothing of the vendor's words with it."""
    put, get = await actions(connector, "project")
    await put(connector.api)
    await tells_bad_answers(connector, lambda: get(connector.api))
