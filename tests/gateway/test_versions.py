"""tests/gateway: an API in two versions, of which one goes: told in time, and then gone for good."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest

from contracts.canonical.values import Id
from contracts.operation import Deprecation, api, operation
from deploy.composition.lifecycle import FILE, called_by, lifecycle_faults, read_lifecycles
from gateway.inventory import Mounted
from gateway.lifecycle import ApiLifecycle, ApiLifecycles, Slug, check_subscriptions, faults, refusals
from gateway.plans import Consumer, decode
from gateway.policies.hop import in_process
from gateway.tables import usage
from kit import clock
from kit.operations import api_of, document
from kit.settings import SettingsError
from tests.gateway.demo import DemoTier, Seen, Shop
from tests.gateway.deployment import Deployment, problem
from tests.support.databases import keyed

OLD, NEW = "experience/shop@1", "experience/shop@2"
ORDER = "/experience/shop/v1/orders/o-1"
GOES: dict[str, Any] = {"since": "2026-01-01", "sunset": "2026-12-31", "successor": NEW}


@api("experience", "shop", version=2, summary="Orders, better", audiences=("internal", "outside"))
class ShopTwo(Protocol):
    """The screen's orders, as they should have been."""

    @operation("GET", "/orders/{order_id}", summary="Read an order")
    async def get_order(self, order_id: Id) -> Seen:
        """The order."""
        ...


def lifecycle(state: str, **more: Any) -> dict[str, Any]:
    return {"state": state, "owner": "the shop's team", "since": "2026-01-01", **more}


def read(**versions: Any) -> ApiLifecycles:
    """The standings of both versions; what is not said is published."""
    raw = {OLD: versions.get("old", lifecycle("published")), NEW: versions.get("new", lifecycle("published"))}
    return decode(raw, dict[Slug, ApiLifecycle], "versions.toml")


def open_house(folder: Path, **versions: Any) -> Deployment:
    """A deployment with both versions of the shop."""
    two = Mounted(ShopTwo, document(ShopTwo), in_process(ShopTwo, DemoTier()))
    return Deployment(folder, apis=(two,), lifecycles=read(**versions))


@pytest.fixture(autouse=True)
def on_a_day() -> Iterator[None]:
    clock.set(dt.datetime(2027, 1, 15, tzinfo=dt.UTC))
    yield
    clock.real()


async def test_a_deprecated_version_says_so_and_works_as_before(keys_folder: Path):
    """Every answer carries since when, until when, what comes after and where that is written."""
    deployment = open_house(keys_folder, old=lifecycle("deprecated", **GOES))
    answer = await deployment.call("GET", ORDER)
    assert answer.status_code == 200
    assert answer.headers["deprecation"] == "@1767225600"
    assert answer.headers["sunset"] == "Thu, 31 Dec 2026 00:00:00 GMT"
    assert answer.headers["link"] == (
        '</experience/shop/v2>; rel="successor-version", '
        '</apis/experience/shop/v1>; rel="deprecation"; type="text/html", '
        '</apis/experience/shop/v1>; rel="sunset"; type="text/html"'
    )
    refused = await deployment.call("GET", "/experience/shop/v1/orders/gone")
    assert refused.headers["deprecation"] == "@1767225600", "a refusal is an answer, too"
    new = await deployment.call("GET", "/experience/shop/v2/orders/o-1")
    assert new.status_code == 200
    assert {"deprecation", "sunset", "link"} & set(new.headers) == set()


async def test_an_operations_own_dates_come_before_its_versions(keys_folder: Path):
    """One of a version may go earlier than the version."""
    deployment = open_house(keys_folder, old=lifecycle("deprecated", **(GOES | {"sunset": "2027-06-30"})))
    answer = await deployment.call("GET", "/experience/shop/v1/old")
    assert answer.headers["sunset"] == "Thu, 31 Dec 2026 00:00:00 GMT"
    assert (await deployment.call("GET", ORDER)).headers["sunset"] == "Wed, 30 Jun 2027 00:00:00 GMT"


async def test_a_retired_version_is_gone_and_points_to_what_came_after(keys_folder: Path):
    """410 for everybody; the other version is not touched."""
    deployment = open_house(keys_folder, old=lifecycle("retired", **GOES))
    answer = await deployment.call("GET", ORDER)
    found = problem(answer, 410, "gone")
    assert (found["api"], found["successor"]) == (OLD, "/experience/shop/v2")
    assert answer.headers["link"].startswith('</experience/shop/v2>; rel="successor-version"')
    assert (await deployment.call("GET", "/experience/shop/v2/orders/o-1")).status_code == 200


async def test_a_waiver_keeps_a_retired_version_for_one_until_its_day(keys_folder: Path):
    """Whoever has one goes on, until the day it expires; nobody else does."""
    waiver = {"consumer": "screen", "reason": "moves in February", "expires": "2027-02-01"}
    deployment = open_house(keys_folder, old=lifecycle("retired", **GOES, waivers=[waiver]))
    answer = await deployment.call("GET", ORDER, "screen")
    assert (answer.status_code, "sunset" in answer.headers) == (200, True)
    problem(await deployment.call("GET", ORDER, "ci"), 410, "gone")
    clock.set(dt.datetime(2027, 2, 2, tzinfo=dt.UTC))
    problem(await deployment.call("GET", ORDER, "screen"), 410, "gone")


async def test_a_version_whose_code_is_gone_is_still_410(keys_folder: Path):
    """Its addresses say what came after, also to whom nobody knows; a version that never was is 404."""
    raw = {
        "experience/shop@0": lifecycle("retired", **(GOES | {"successor": OLD})),
        "system/vault@0": lifecycle("retired", **(GOES | {"successor": "system/vault@1"})),
    }
    deployment = Deployment(keys_folder, lifecycles=decode(raw, dict[Slug, ApiLifecycle], "versions.toml"))
    found = problem(await deployment.call("GET", "/experience/shop/v0/any/where", ""), 410, "gone")
    assert found["successor"] == "/experience/shop/v1"
    found = problem(await deployment.call("GET", "/system/vault-main/vault/v0/records/r-1"), 410, "gone")
    assert found["successor"] == "/apis/system/vault/v1"
    for path in ("/experience/shop/v9/any", "/experience/shop", "/experience", "/"):
        assert (await deployment.call("GET", path)).status_code in (307, 404)


async def test_a_draft_is_open_to_those_who_try_it(keys_folder: Path):
    """Others are told whom to ask."""
    deployment = open_house(keys_folder, new=lifecycle("draft", trial=["screen"]))
    path = "/experience/shop/v2/orders/o-1"
    assert (await deployment.call("GET", path, "screen")).status_code == 200
    assert "the shop's team" in problem(await deployment.call("GET", path), 403, "forbidden")["detail"]


async def test_the_catalogue_tells_every_versions_life(keys_folder: Path):
    """For programs and for people: state, dates, successor, owner; what is gone is listed as gone."""
    old = lifecycle("deprecated", **GOES)
    raw = {
        OLD: old,
        NEW: lifecycle("draft"),
        "experience/shop@0": lifecycle("retired", **(GOES | {"successor": OLD})),
    }
    two = Mounted(ShopTwo, document(ShopTwo), in_process(ShopTwo, DemoTier()))
    deployment = Deployment(keys_folder, apis=(two,), lifecycles=decode(raw, dict[Slug, ApiLifecycle], "v"))
    told = (await deployment.http.get("/apis")).json()
    by_name = {one["api"]: one for one in told["apis"]}
    assert by_name[OLD]["status"] == "deprecated"
    assert (by_name[OLD]["sunset"], by_name[OLD]["successor"]) == ("2026-12-31", "/experience/shop/v2")
    assert by_name[NEW]["status"] == "draft"
    assert by_name["process/works@1"]["status"] == "published"
    assert [one["api"] for one in told["retired"]] == ["experience/shop@0"]
    page = await html(deployment, "/apis")
    assert "Retired" in page
    assert "experience/shop@0" in page
    assert "served until 2026-12-31" in await html(deployment, "/apis/experience/shop/v1")


async def html(deployment: Deployment, path: str) -> str:
    answer: httpx.Response = await deployment.http.get(path, headers={"Accept": "text/html"})
    return answer.text


@pytest.mark.parametrize(
    "wrong",
    [
        lifecycle("gone"),
        lifecycle("deprecated"),
        lifecycle("published", sunset="2026-12-31"),
        lifecycle("deprecated", sunset="2025-12-31"),
        lifecycle("published", trial=["ci"]),
        lifecycle("published", waivers=[{"consumer": "ci", "reason": "r", "expires": "2027-01-01"}]),
        lifecycle("retired", **GOES, waivers=[{"consumer": "ci", "reason": "", "expires": "2027-01-01"}]),
        {"state": "published", "since": "2026-01-01"},
        lifecycle("deprecated", **(GOES | {"successor": "shop two"})),
    ],
    ids=str,
)
def test_a_life_that_cannot_be_is_refused(wrong: dict[str, Any]):
    """No unknown state, no sunset before its deprecation, no waiver without reason, nobody's version."""
    with pytest.raises(SettingsError):
        read(old=wrong)


def test_what_does_not_fit_together_is_told():
    """A version that stands nowhere, one that nobody declares, no successor, dates that disagree."""
    goes_first = [Deprecation("2026-01-01", "2027-12-31", "/x")]
    declared = {api_of(Shop): goes_first, api_of(ShopTwo): []}
    raw = {
        OLD: lifecycle("deprecated", **(GOES | {"successor": "experience/shop@3"})),
        "process/x@1": lifecycle("draft"),
    }
    found = faults(decode(raw, dict[Slug, ApiLifecycle], "v"), declared)
    assert [fault.partition(":")[0] for fault in found] == [OLD, OLD, NEW, "process/x@1"]


async def test_a_version_may_not_go_while_somebody_without_a_waiver_calls_it():
    """Each active consumer is named; a waiver that has expired is none; before the sunset nobody is asked."""

    async def active(slug: str, days: int) -> list[str]:
        assert (slug, days) == (OLD, 30)
        return ["screen", "ci", "reader"]

    waivers = [
        {"consumer": "screen", "reason": "r", "expires": "2027-02-01"},
        {"consumer": "ci", "reason": "r", "expires": "2027-01-01"},
    ]
    found = await refusals(read(old=lifecycle("retired", **GOES, waivers=waivers)), active)
    assert [fault.split()[1] for fault in found] == ["ci", "reader"]
    late = await refusals(read(old=lifecycle("deprecated", **GOES, waivers=waivers)), active)
    assert len(late) == 3
    clock.set(dt.datetime(2026, 6, 1, tzinfo=dt.UTC))
    assert await refusals(read(old=lifecycle("deprecated", **GOES)), active) == []


def subscribed(**subscriptions: str) -> dict[str, Consumer]:
    """Consumers, each subscribed to what is said."""
    return {
        name: Consumer(title=name, scopes=("*.*.*",), subscriptions={api: "standard"})
        for name, api in subscriptions.items()
    }


def test_nobody_is_subscribed_by_name_to_what_was_retired_under_them(keys_folder: Path):
    """Such a policy does not start; a grant of a whole tier, or a waiver, does not prevent it."""
    waiver = {"consumer": "screen", "reason": "moves in February", "expires": "2027-02-01"}
    consumers = subscribed(ci=OLD, reader=OLD, screen=OLD, finance="experience/*", partner=NEW)
    versions = read(old=lifecycle("retired", **GOES, waivers=[waiver]))
    with pytest.raises(SettingsError) as refused:
        Deployment(keys_folder, consumers=consumers, lifecycles=versions)
    assert refused.value.faults == [
        f"consumers.{name}.subscriptions.{OLD}: was retired, and {name} has no waiver in the versions"
        for name in ("ci", "reader")
    ]
    check_subscriptions(versions, subscribed(screen=OLD, finance="experience/*", partner=NEW))


@pytest.mark.parametrize("state", ["deprecated", "retired"])
async def test_no_day_keeps_a_house_from_beginning_again(
    state: str, keys_folder: Path, caplog: pytest.LogCaptureFixture
):
    """Beyond the sunset and the waiver's last day the same files are taken as before, with a warning."""
    waiver = {"consumer": "screen", "reason": "moves in February", "expires": "2027-02-01"}
    versions, consumers = read(old=lifecycle(state, **GOES, waivers=[waiver])), subscribed(screen=OLD)
    for day, warned in (
        (dt.datetime(2026, 12, 30, tzinfo=dt.UTC), 0),
        (dt.datetime(2027, 2, 2, tzinfo=dt.UTC), 1),
    ):
        clock.set(day)
        deployment = Deployment(keys_folder, consumers=consumers, lifecycles=versions)
        await deployment.gateway.start()
        await deployment.gateway.close()
        assert len([record for record in caplog.records if record.levelname == "WARNING"]) == warned


async def test_whoever_was_counted_at_the_door_is_asked_about(tmp_path: Path, fresh_database_url: str):
    """The check names who called a retired version lately, and not who called it long ago."""
    text = FILE.read_text(encoding="utf-8")
    gone = 'state = "retired"\nsunset = 2026-12-31\nowner'
    head, _, tail = text.partition('["process/events@1"]\nstate = "published"\nowner')
    (tmp_path / "versions.toml").write_text(f'{head}["process/events@1"]\n{gone}{tail}', encoding="utf-8")
    database = keyed(fresh_database_url)
    async with database.begin() as connection:
        for consumer, day in (("operations", dt.date(2027, 1, 2)), ("executive", dt.date(2026, 11, 2))):
            row = {"consumer": consumer, "api": "process/events@1", "day": day, "calls": 3}
            await connection.execute(usage.insert().values(row))
    found = await lifecycle_faults(tmp_path / "versions.toml", called_by(database))
    await database.close()
    assert len(found) == 1
    assert "process/events@1: operations called" in found[0]


async def test_the_houses_versions_are_in_order(tmp_path: Path):
    """Every API stands somewhere in its life, with an owner; the check tells what does not."""
    assert await lifecycle_faults() == []
    assert all(one.owner for one in read_lifecycles().values())
    text = FILE.read_text(encoding="utf-8").replace('["process/events@1"]', '["process/happenings@1"]')
    (tmp_path / "versions.toml").write_text(text, encoding="utf-8")
    told = "\n".join(await lifecycle_faults(tmp_path / "versions.toml"))
    assert "process/events@1: is missing" in told
    assert "process/happenings@1: is published, and nothing declares it" in told
