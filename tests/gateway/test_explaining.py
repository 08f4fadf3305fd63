"""tests/gateway: what the gateway says it would do is what it does."""

import asyncio
import re
import uuid
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

import gateway.policy_runtime
from contracts.problems import Forbidden
from deploy.composition.interfaces import frozen, interfaces
from deploy.demo.cast import read_cast
from deploy.settings import DEMO_CONFIG
from gateway.admin import interfaces as admin_interfaces
from gateway.exchange import Asked, Exchange, Policy, Reply, Route, Rule, Step, json_reply, try_policy
from gateway.identity import DevelopmentIssuer
from gateway.inventory import Mounted, scopes_of
from gateway.pipeline import ORDER, AfterRoute
from gateway.policies.hop import in_process
from gateway.policy_bundle import FILES, read_bundle
from kit.operations import api_of, document
from tests.conformance.gateway import upstream
from tests.conformance.gateway.deployment import lifecycles
from tests.gateway.deployment import ORDER as BODY
from tests.gateway.deployment import URL, Deployment, problem
from tests.support.gateways import make_gateway

STORY = Path(__file__).parents[2] / "deploy" / "demo_config"
INSTANCES = {capability: role.instance for capability, role in read_cast(DEMO_CONFIG).items()}
BUNDLE = read_bundle(STORY)
REFUSALS = {401, 403, 404, 405, 410}
# Of requests without headers and body a read is against its contract for its address alone.
INCOMPLETE = {400, 422, 428}
SEGMENTS = ("o-1", "acme", "globex", "gone", "a%20b", "%41", "a%2Fb", "a%00", "%2E%2E", "x" * 200)
QUERIES = ("", "?limit=5", "?limit=0", "?state=open&mine=true", "?state=lost", "?limit=1&limit=2", "?more=1")


async def answer(_: Exchange) -> Reply:
    return json_reply(200, {})


@pytest.fixture(scope="module")
async def story(keys_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The demo's policy over every API of the deployment, whose tiers answer from memory."""
    folder = tmp_path_factory.mktemp("policy")
    for name in FILES:
        text = (STORY / name).read_text(encoding="utf-8")
        # A test that asks without a pause is late for everything else, and nobody shall be shed for that.
        (folder / name).write_text(
            re.sub("max_lag_seconds = .*", "max_lag_seconds = 1e6", text), encoding="utf-8"
        )
    found = interfaces()
    issuer = DevelopmentIssuer(
        keys_folder,
        issuer=URL,
        audience=URL,
        consumers=BUNDLE.consumers,
        scopes=scopes_of(api_of(interface) for interface in found),
    )
    gateway = make_gateway(
        settings=BUNDLE.settings,
        consumers=BUNDLE.consumers,
        apis=[
            Mounted(interface, frozen(interface), lambda _: answer, INSTANCES.get(api_of(interface).name, ""))
            for interface in found
            if interface not in admin_interfaces()
        ],
        public_url=URL,
        issuer=issuer,
        admin=frozen,
        policy_folder=folder,
    )
    await gateway.start()
    yield gateway, issuer
    await gateway.close()


async def test_every_explanation_agrees_with_what_happens(story: Any):
    """For all operations and consumers of the demo: allowed or refused, and with which status and code."""
    gateway, issuer = story
    disagreeing: list[tuple[object, ...]] = []
    asked = 0
    doors = [
        (gateway, gateway.runtime.version.table),
        (gateway.answer_internal, gateway.runtime.version.internal_table),
    ]
    for app, table in doors:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL) as http:
            for route in table.routes:
                if route.operation is None:
                    continue
                path = route.template.replace("{instance}", INSTANCES["crm"])
                path = re.sub(r"{\w+}", "001000000000001AAA", path)
                for name in BUNDLE.consumers:
                    await asyncio.sleep(0)  # in memory nothing else lets the loop come round
                    told = await gateway.runtime.explain(route.method, path, name)
                    headers = {"Authorization": f"Bearer {issuer.mint(name)}"}
                    done = await http.request(route.method, path, headers=headers)
                    asked += 1
                    if told.verdict not in _fitting(route.method, done):
                        disagreeing.append((route.name, name, told.verdict, done.status_code, done.text))
    assert asked > 200
    assert disagreeing == []


def _fitting(method: str, done: httpx.Response) -> set[str]:
    """What may be told of a request that had neither headers nor a body."""
    if done.status_code in REFUSALS:
        return {done.json()["code"]}
    if done.status_code in INCOMPLETE:
        return {done.json()["code"]} if method == "GET" else {"allowed", "invalid"}
    return {"allowed"}


@pytest.fixture
def ageing(keys_folder: Path) -> Deployment:
    """A deployment with versions in every state of their life."""
    tier = upstream.Upstream()
    apis = tuple(Mounted(one, document(one), in_process(one, tier)) for one in upstream.AGEING)
    return Deployment(keys_folder, tier=tier, apis=apis, lifecycles=lifecycles())


async def test_every_address_fares_as_it_is_told(ageing: Deployment):
    """Whatever path and query: the status that is told is the answer's, the first refusal in order."""
    disagreeing: list[tuple[object, ...]] = []
    seen: Counter[int | None] = Counter()
    for method, path, consumer in _addresses(ageing):
        told = await ageing.gateway.runtime.explain(method, path, consumer)
        headers = {"Idempotency-Key": uuid.uuid4().hex, "If-Match": '"1"'}
        body = {"json": BODY} if method in ("POST", "PUT") and "/poke" not in path else {}
        done = await ageing.call(method, path, consumer, headers=headers, **body)
        refused = done.status_code if done.status_code not in (200, 202) else None
        if told.status != refused and (refused != 404 or done.json()["code"] == "unknown_route"):
            disagreeing.append((method, path, consumer, told.status, done.status_code, done.text))
        seen[told.status] += 1
    assert disagreeing == []
    assert {None, 400, 403, 404, 405, 410, 422} <= set(seen), seen


def _addresses(deployment: Deployment) -> Iterator[tuple[str, str, str]]:
    """Every operation that asks for no row in its body, at every kind of address, for several consumers."""
    for route in deployment.gateway.runtime.version.table.routes:
        operation = route.operation
        if operation is None or route.template.endswith(("/slow", "/broken", "/seal")):
            continue
        if any(rule.source == "body" for rule in operation.rows):
            continue
        segments = SEGMENTS if "{" in route.template else SEGMENTS[:1]
        for segment, query in product(segments, QUERIES):
            path = re.sub(r"{\w+}", segment, route.template) + query
            for consumer in ("ci", "partner", "reader", "screen"):
                yield route.method, path, consumer
            yield "DELETE", path, "ci"
    for path in ("/process/bygone/v1/x", "/process/nowhere/v1/x", "/experience//shop", f"/{'x' * 9000}"):
        yield "GET", path, "ci"


async def test_what_its_contract_refuses_is_told_before_whose_row_it_is(deployment: Deployment):
    """An id that cannot be one is 422 to whoever asks, as it is at the gateway."""
    path = f"/experience/shop/v1/customers/{'x' * 200}"
    told = await deployment.gateway.runtime.explain("GET", path, "partner")
    assert (told.status, told.verdict, told.rules[-1].policy) == (422, "invalid", "contract")
    problem(await deployment.call("GET", path, "partner"), 422, "invalid")


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/process/nowhere/v1/things", 404, "unknown_route"),
        ("DELETE", "/experience/shop/v1/orders", 405, "method_not_allowed"),
    ],
)
async def test_an_address_that_is_none_is_refused_by_the_route(
    deployment: Deployment, method: str, path: str, status: int, code: str
):
    """Where no operation stands no further rule is told."""
    told = await deployment.gateway.runtime.explain(method, path, "ci")
    assert (told.status, told.verdict, [rule.policy for rule in told.rules]) == (status, code, ["route"])


async def test_a_consumer_that_is_not_known_is_refused_by_identity(deployment: Deployment):
    """401, as a token in its name would be."""
    told = await deployment.gateway.runtime.explain("GET", "/experience/shop/v1/orders", "nobody")
    assert (told.status, told.verdict, told.rules[-1].policy) == (401, "invalid_token", "identity")


async def test_the_rules_come_in_the_order_of_the_pipeline(story: Any):
    """As a request meets them, each with the file and line where it is written."""
    gateway, _ = story
    told = await gateway.runtime.explain(
        "POST", "/process/opportunity-to-project/v1/activations", "operations"
    )
    assert told.verdict == "allowed"
    places = [ORDER.index(rule.policy) for rule in told.rules]
    assert places == sorted(places)
    sources = {rule.policy: rule.source for rule in told.rules}
    lines = (STORY / "consumers.toml").read_text(encoding="utf-8").splitlines()
    file, _, line = sources["identity"].partition(":")
    assert (file, lines[int(line) - 1]) == ("consumers.toml", "[consumers.operations]")
    assert re.fullmatch(r"gateway\.toml:\d+", sources["rate_limit"])
    file, _, line = sources["route"].partition(":")
    declared = (STORY.parents[1] / file).read_text(encoding="utf-8").splitlines()[int(line) - 1 :]
    assert "POST" in " ".join(declared[:3])


class Toy:
    """A policy of a test's own: nobody reads the order o-2."""

    def wrap(self, _: Route | None, call_next: Step) -> Step:
        async def toy(exchange: Exchange) -> Reply:
            if exchange.path.endswith("/o-2"):
                raise Forbidden("The toy does not like it")
            return await call_next(exchange)

        return toy

    async def judge(self, probe: Exchange, asked: Asked | None) -> None:
        await try_policy(self, asked.route if asked else None, probe)

    def explain(self, asked: Asked) -> list[Rule]:
        return [Rule(f"the toy looks at {asked.route.name} for {asked.name}", file="")]


@dataclass(frozen=True, slots=True)
class WithToy(AfterRoute):
    """The policies around a route, and the toy nearest to it."""

    toy: Policy


@pytest.mark.parametrize(("order", "verdict"), [("o-1", "allowed"), ("o-2", "forbidden")])
async def test_a_policy_that_was_put_into_the_pipeline_is_explained(
    keys_folder: Path, monkeypatch: pytest.MonkeyPatch, order: str, verdict: str
):
    """Nobody has to name it anywhere else: its rules come in its place, and its refusal is foretold."""
    plain = gateway.policy_runtime.after_route

    def with_toy(*given: Any) -> AfterRoute:
        made = plain(*given)
        return WithToy(**{field.name: getattr(made, field.name) for field in fields(made)}, toy=Toy())

    monkeypatch.setattr(gateway.policy_runtime, "after_route", with_toy)
    deployment = Deployment(keys_folder)
    path = f"/experience/shop/v1/orders/{order}"
    told = await deployment.gateway.runtime.explain("GET", path, "ci")
    done = await deployment.call("GET", path)
    assert told.verdict == (done.json()["code"] if done.status_code == 403 else "allowed") == verdict
    toys = [(index, rule.says) for index, rule in enumerate(told.rules) if rule.policy == "toy"]
    first = next(index for index, rule in enumerate(told.rules) if rule.policy == "hop") + 1
    said = [(first, "the toy looks at experience/shop@1.get_order for ci")]
    if verdict != "allowed":
        said.append((first + 1, "The toy does not like it"))
    assert toys == said


async def test_a_policy_that_says_nothing_of_itself_is_refused(
    keys_folder: Path, monkeypatch: pytest.MonkeyPatch
):
    """A policy without its explanation cannot be put into the pipeline."""
    plain = gateway.policy_runtime.after_route
    silent: Any = SimpleNamespace(wrap=lambda _, call_next: call_next)
    monkeypatch.setattr(
        gateway.policy_runtime, "after_route", lambda *given: replace(plain(*given), hop=silent)
    )
    with pytest.raises(TypeError, match="hop: a policy wraps a step and explains itself"):
        Deployment(keys_folder)


async def test_a_refusal_comes_after_all_rules_that_were_met(deployment: Deployment):
    """What stands behind the policy that refuses is not told; what stands before it is, rules or none."""
    told = await deployment.gateway.runtime.explain("GET", "/process/works/v1/works/w-1", "screen")
    met = list(dict.fromkeys(rule.policy for rule in told.rules))
    assert (met, told.rules[-1].refuses) == (
        ["account", "wire", "route", "identity", "authorisation"],
        403,
    )


async def test_a_row_that_is_not_the_callers_is_told_as_refused(deployment: Deployment):
    """A rule about the path is judged; the one about a body is told."""
    told = await deployment.gateway.runtime.explain("GET", "/experience/shop/v1/customers/globex", "partner")
    assert (told.status, told.verdict, told.rules[-1].policy) == (403, "forbidden", "authorisation")
    told = await deployment.gateway.runtime.explain("GET", "/experience/shop/v1/customers/acme", "partner")
    assert told.verdict == "allowed"


async def test_the_admin_api_explains(deployment: Deployment):
    """Who runs the gateway asks it over HTTP; nobody else."""
    path = "/policy/explanation?method=GET&path=/experience/shop/v1/orders&consumer=reader"
    told = (await deployment.administer("GET", path)).json()
    assert (told["verdict"], told["operation"]) == ("allowed", "experience/shop@1.list_orders")
    problem(await deployment.administer("GET", path, "finance"), 403, "insufficient_scope")
