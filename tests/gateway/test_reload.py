"""tests/gateway: the policy files change while requests run."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from contracts.routing import Routing
from gateway.lifecycle import ApiLifecycle, Slug
from gateway.pipeline import GatewaySettings
from gateway.plans import decode, read, read_consumers
from gateway.policy_bundle import PolicyBundle, read_bundle
from gateway.policy_bundle.reloader import RefusedBundle
from kit.settings import SettingsError
from tests.gateway.deployment import ORDER, Deployment, problem
from tests.support.stack import until

ORDERS = "/experience/shop/v1/orders"
GATEWAY = """\
[answer]
hsts_seconds = {number}

[plans.standard]
limits = [{{ name = "burst", requests = {number}, seconds = 60 }}]

[source_limit]
requests = 100_000

[identity]
embedded_issuer = true
"""
CONSUMER = '[consumers.{name}]\ntitle = "Somebody"\nscopes = ["{scope}"]\n'
ROUTE = '[[routes]]\ncapability = "erp"\nselling_entity = "*"\ninstance = "{}"\n'
PATIENCE_SECONDS = 20


class Files:
    """A folder of policy files; `number` stands in two of its places, which must always agree."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.put("duties.toml", "conflicts = []\n[duties]\n")
        self.put("routing.toml", "routes = []\n")
        self.write(100_000)

    def write(self, number: int, scope: str = "*.*.*", more: str = "") -> None:
        self.put("gateway.toml", GATEWAY.format(number=number) + more)
        text = [
            CONSUMER.format(name="ci", scope=scope),
            CONSUMER.format(name="platform", scope="gateway.*.*"),
        ]
        self.put("consumers.toml", "\n".join(text))

    def put(self, name: str, text: str) -> None:
        draft = self.folder / f"{name}.new"
        draft.write_text(text, encoding="utf-8")
        draft.rename(self.folder / name)


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest.fixture
async def reloading(files: Files, keys_folder: Path) -> AsyncIterator[Deployment]:
    """A deployment that watches its files closely."""
    settings = read(files.folder / "gateway.toml", GatewaySettings)
    consumers = read_consumers(files.folder / "consumers.toml")
    found = Deployment(keys_folder, settings, consumers, policy_folder=files.folder, look_seconds=0.01)
    await found.gateway.start()
    yield found
    await found.gateway.close()


async def until_in_force(deployment: Deployment, files: Files) -> None:
    """Wait until what the files say is what new requests meet."""
    wanted = read_bundle(files.folder).digest

    async def look() -> bool:
        return deployment.gateway.runtime.bundle.digest == wanted

    await until("the files are in force", look, PATIENCE_SECONDS)


async def until_refused(deployment: Deployment) -> list[str]:
    async def look() -> RefusedBundle | None:
        return deployment.gateway.runtime.reloader.refused

    return (await until("the files are refused", look, PATIENCE_SECONDS)).faults


async def test_a_change_is_in_force_without_a_restart(reloading: Deployment, files: Files):
    """What is written holds for the next request, and the digest says so."""
    assert (await reloading.call("GET", f"{ORDERS}/a")).headers["ratelimit-policy"] == '"burst";q=100000;w=60'
    before = reloading.gateway.runtime.bundle.digest
    files.write(90_000)
    await until_in_force(reloading, files)
    answer = await reloading.call("GET", f"{ORDERS}/a")
    assert answer.headers["ratelimit-policy"] == '"burst";q=90000;w=60'
    told = (await reloading.administer("GET", "/policy/in-force")).json()
    assert told["digest"] != before


async def test_a_grant_that_was_taken_away_is_gone_for_a_token_already_known(
    reloading: Deployment, files: Files
):
    """Nothing that was remembered of a token outlives the policy under which it was believed."""
    assert (await reloading.call("GET", f"{ORDERS}/a")).status_code == 200
    files.write(100_000, scope="process.*.*")
    await until_in_force(reloading, files)
    problem(await reloading.call("GET", f"{ORDERS}/a"), 403, "insufficient_scope")


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ("[wire]\nmax_headers = \n", r"line 13"),
        ("[wire]\nmax_headers = 3\n", r"gateway\.toml:13: wire\.max_headers: Expected `int` >= 16"),
        ("[firewall]\n", r"gateway\.toml:12: firewall: is not a setting"),
        ("[cors]\norigins = ['*']\n", r"gateway\.toml:12: cors: .* is no origin"),
    ],
)
async def test_a_bad_file_is_refused_whole_with_its_line(
    reloading: Deployment, files: Files, more: str, where: str
):
    """The policy before it stays, and the refusal is told with file, line and reason until it is mended."""
    before = reloading.gateway.runtime.bundle.digest
    files.write(50, more=more)
    faults = await until_refused(reloading)
    with pytest.raises(SettingsError, match=where):
        raise SettingsError(faults)
    answer = await reloading.call("GET", f"{ORDERS}/a")
    assert answer.headers["ratelimit-policy"] == '"burst";q=100000;w=60'
    told = (await reloading.administer("GET", "/policy/in-force")).json()
    assert (told["digest"], told["refused"]["faults"]) == (before, faults)
    files.write(100_000)

    async def mended() -> bool:
        return "refused" not in (await reloading.administer("GET", "/policy/in-force")).json()

    await until("the refusal is forgotten", mended, PATIENCE_SECONDS)


async def test_files_that_do_not_fit_together_are_refused(reloading: Deployment, files: Files):
    """A consumer on a plan that there is not is told with the line of the consumer."""
    text = (files.folder / "consumers.toml").read_text(encoding="utf-8")
    files.put(
        "consumers.toml",
        text.replace('title = "Somebody"', 'title = "Somebody"\nsubscriptions = {"*" = "none"}', 1),
    )
    reason = "there is no plan 'none' in the gateway's settings"
    expected = f"{files.folder}/consumers.toml:3: consumers.ci.subscriptions.*: {reason}"
    assert await until_refused(reloading) == [expected]


async def test_a_subscription_to_what_was_retired_is_refused(files: Files, keys_folder: Path):
    """With the line of the consumer that would be cut off; the policy before it stays."""
    gone = {"state": "retired", "owner": "works", "since": "2026-01-01", "sunset": "2026-01-01"}
    deployment = Deployment(
        keys_folder,
        read(files.folder / "gateway.toml", GatewaySettings),
        read_consumers(files.folder / "consumers.toml"),
        policy_folder=files.folder,
        look_seconds=0.01,
        lifecycles=decode({"process/works@1": gone}, dict[Slug, ApiLifecycle], "versions.toml"),
    )
    await deployment.gateway.start()
    before = deployment.gateway.runtime.bundle.digest
    text = (files.folder / "consumers.toml").read_text(encoding="utf-8")
    line = 'subscriptions = {"*" = "standard", "process/works@1" = "standard"}'
    files.put("consumers.toml", text.replace('title = "Somebody"', f'title = "Somebody"\n{line}', 1))
    reason = "was retired, and ci has no waiver in the versions"
    expected = f"{files.folder}/consumers.toml:3: consumers.ci.subscriptions.process/works@1: {reason}"
    assert await until_refused(deployment) == [expected]
    assert deployment.gateway.runtime.bundle.digest == before
    await deployment.gateway.close()


async def test_a_missing_file_is_refused(reloading: Deployment, files: Files):
    """A file that is gone is no empty policy."""
    (files.folder / "consumers.toml").unlink()
    assert await until_refused(reloading) == [f"{files.folder}/consumers.toml: No such file or directory"]
    assert (await reloading.call("GET", f"{ORDERS}/a")).status_code == 200


async def test_a_change_is_in_force_in_all_parts_of_a_process_or_in_none(files: Files, keys_folder: Path):
    """What another part of the process refuses, the gateway does not take; what both take has one digest."""
    followed: list[Routing] = []

    def follow(bundle: PolicyBundle) -> Callable[[], None]:
        if bundle.routing.instance_for("erp", "NB-UK") == "nowhere":
            raise SettingsError(["routes[0].instance: nowhere serves nobody"])
        return lambda: followed.append(bundle.routing)

    settings = read(files.folder / "gateway.toml", GatewaySettings)
    consumers = read_consumers(files.folder / "consumers.toml")
    watching = {"policy_folder": files.folder, "look_seconds": 0.01}
    deployment = Deployment(keys_folder, settings, consumers, participants=[follow], **watching)
    await deployment.gateway.start()
    before = deployment.gateway.runtime.bundle.digest
    files.put("routing.toml", ROUTE.format("nowhere"))
    files.write(50)
    assert await until_refused(deployment) == [
        f"{files.folder}/routing.toml:4: routes[0].instance: nowhere serves nobody"
    ]
    assert (deployment.gateway.runtime.bundle.digest, followed) == (before, [])
    answer = await deployment.call("GET", f"{ORDERS}/a")
    assert answer.headers["ratelimit-policy"] == '"burst";q=100000;w=60'
    files.put("routing.toml", ROUTE.format("netsuite-main"))
    await until_in_force(deployment, files)
    assert [routing.instance_for("erp", "NB-UK") for routing in followed] == ["netsuite-main"]
    assert deployment.gateway.runtime.settings.answer.hsts_seconds == 50
    await deployment.gateway.close()


async def test_what_was_counted_survives_a_change_of_something_else(reloading: Deployment, files: Files):
    """A caller does not get a fresh allowance because somebody edited another setting."""
    first = await reloading.call("GET", f"{ORDERS}/a")
    files.write(100_000, more="[wire]\nmax_headers = 90\n")
    await until_in_force(reloading, files)
    second = await reloading.call("GET", f"{ORDERS}/a")
    left = [int(answer.headers["ratelimit"].split("r=")[1].split(";")[0]) for answer in (first, second)]
    assert left == [99_999, 99_998]


async def test_a_request_in_flight_ends_under_the_policy_it_began_with(reloading: Deployment, files: Files):
    """Its answer carries what held when it came."""
    reloading.tier.gate = asyncio.Event()
    waiting = asyncio.create_task(reloading.place("in-flight-01", json=ORDER))
    await reloading.tier.entered.wait()
    files.write(77_777)
    await until_in_force(reloading, files)
    reloading.tier.gate.set()
    answer = await waiting
    reloading.tier.gate = None
    assert answer.headers["strict-transport-security"] == "max-age=100000"


async def test_no_request_sees_a_mixture_of_two_policies(reloading: Deployment, files: Files):
    """Under load, with the files changing back and forth, every answer is of one version throughout."""
    seen: set[tuple[str, str]] = set()
    done = asyncio.Event()

    async def ask() -> None:
        while not done.is_set():
            answer = await reloading.call("GET", f"{ORDERS}/a")
            assert answer.status_code == 200, answer.text
            limit = answer.headers["ratelimit-policy"].split("q=")[1].split(";")[0]
            seen.add((answer.headers["strict-transport-security"].removeprefix("max-age="), limit))
            await asyncio.sleep(0)  # in memory nothing else lets the others run

    async def edit() -> None:
        for turn in range(12):
            files.put("gateway.toml", GATEWAY.format(number=60_000 + turn % 5))
            await until_in_force(reloading, files)
        done.set()

    await asyncio.gather(edit(), *(ask() for _ in range(8)))
    assert len(seen) > 3
    assert [pair for pair in seen if pair[0] != pair[1]] == []


async def test_a_setting_that_needs_a_restart_is_named(reloading: Deployment, files: Files):
    """It is not in force, and whoever asks is told that it waits."""
    files.write(100_000, more="[account]\nbatch = 10\n")
    await until_in_force(reloading, files)
    told = (await reloading.administer("GET", "/policy/in-force")).json()
    assert told["restart_required"] == ["gateway.toml: account"]


async def test_a_file_that_needs_a_restart_is_named(reloading: Deployment, files: Files):
    """What is not of the policy is read at the start only, and that it has changed is told."""
    files.put("flows.toml", "[customer_master]\n")
    told = (await reloading.administer("GET", "/policy/in-force")).json()
    assert told["restart_required"] == ["flows.toml"]
