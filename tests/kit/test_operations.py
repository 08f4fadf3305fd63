"""One declaration: its document, its handlers and its two clients say the same."""

import datetime as dt
from typing import Any

import httpx
import jsonschema_rs
import msgspec
import pytest
from litestar import Litestar

from contracts.canonical.customer import Customers
from contracts.canonical.exception import BusinessException, BusinessExceptions
from contracts.problems import Invalid, InvalidToken, NotFound, Problem, VendorDoubtful, catalogue
from contracts.process.exceptions import AlikeResolution, Exceptions, Resolution
from contracts.system.crm import Crm
from contracts.system.erp import Erp
from deploy.composition.interfaces import interfaces
from kit import clients, context, problems, routes
from kit.delegation import delegation
from kit.operations import api_of, bind, document
from kit.secrets import Secret

NOW = dt.datetime(2026, 11, 21, tzinfo=dt.UTC)
KEY = Secret("k" * 64)


class Queue:
    """An implementation of the exceptions API that answers what it was asked."""

    async def list_exceptions(
        self, status: Any = None, flow: Any = None, cursor: Any = None, limit: int = 50
    ):
        return BusinessExceptions(items=(), next_cursor=f"{status}-{flow}-{cursor}-{limit}")

    async def get_exception(self, exception_id: str):
        raise NotFound(f"No exception has the id {exception_id}.")

    async def resolve_exception(self, exception_id: str, body: Resolution, if_match: str | None = None):
        caller = context.current().caller
        return BusinessException(
            id=exception_id,
            version="7",
            kind="vendor_rejected",
            status="resolved",
            flow=body.action,
            subject=if_match or "",
            stopped=body.reason,
            why="",
            what_next="",
            owner=caller.subject if caller else "",
            correlation_id=context.current().correlation_id,
            raised_at=NOW,
            due_at=NOW,
        )

    async def resolve_alike(self, exception_id: str, body: AlikeResolution):  # noqa: ARG002
        raise NotFound(f"No exception has the id {exception_id}.")


@pytest.fixture(params=["local", "remote"])
async def queue(request: pytest.FixtureRequest):
    """The same typed client over both carriers."""
    if request.param == "local":
        yield clients.local(Exceptions, Queue())
        return
    app = Litestar(
        route_handlers=[routes.router(Exceptions, Queue(), api_of(Exceptions).prefix)],
        openapi_config=None,
        logging_config=None,
        exception_handlers={Exception: routes.answer_problem},
    )
    transport = httpx.ASGITransport(routes.require_delegation(app, KEY, ["process"]))  # pyright: ignore[reportArgumentType]
    async with httpx.AsyncClient(transport=transport) as http:
        base = "http://floor" + api_of(Exceptions).prefix
        yield clients.remote(Exceptions, base, http, delegation(KEY, "gateway"))


async def test_both_carriers_bring_the_same_answer(queue: Exceptions) -> None:
    """Query parameters arrive typed, absent ones with their defaults."""
    assert ((await queue.list_exceptions(status="open", limit=3)).next_cursor or "")[
        12:
    ] == "open-None-None-3"
    assert ((await queue.list_exceptions()).next_cursor or "")[12:] == "None-None-None-50"


async def test_both_carriers_raise_the_same_problem(queue: Exceptions) -> None:
    """A problem on one tier is the same problem on the next."""
    with pytest.raises(NotFound, match="No exception has the id exc_1"):
        await queue.get_exception("exc_1")


async def test_both_carriers_carry_body_precondition_caller_and_correlation(queue: Exceptions) -> None:
    """Who asks, for which transaction and with what body is known on the other side."""
    caller = context.Caller("fiona", "finance-desk", frozenset({"a"}), frozenset({"finance"}))
    with context.use(context.Context(correlation_id="cor_1", caller=caller)):
        found = await queue.resolve_exception("exc_1", Resolution("replay", "because"), if_match='"7"')
    assert (found.flow, found.stopped, found.subject) == ("replay", "because", '"7"')
    assert (found.owner, found.correlation_id) == ("fiona", "cor_1")


async def test_a_floor_that_stands_alone_refuses_a_forged_token() -> None:
    """Without the deployment's key nobody comes in, whatever headers are sent."""
    reached = []

    async def floor(scope: Any, receive: Any, send: Any) -> None:
        reached.append(scope)

    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(routes.require_delegation(floor, KEY, ["process"]))
    ) as http:  # pyright: ignore[reportArgumentType]
        forged = delegation(Secret("x" * 64), "gateway")("enfilade:process", "process.exceptions.read")
        answers = [
            await http.get("http://floor/x"),
            await http.get("http://floor/x", headers={"Authorization": forged.authorization}),
        ]
    assert [answer.status_code for answer in answers] == [401, 401]
    assert {answer.json()["code"] for answer in answers} == {InvalidToken.code}
    assert reached == []


class Since:
    """A CRM that remembers from when on it was asked."""

    async def list_customers(self, updated_since: Any = None, **_: Any):
        self.asked = updated_since
        return Customers(())

    def __getattr__(self, name: str) -> Any:
        return self.list_customers


async def test_an_instant_is_asked_for_in_utc() -> None:
    """A query's instant reaches the implementation in UTC, and one that has no UTC is refused."""
    crm = Since()
    app = Litestar([routes.router(Crm, crm, "/c")], exception_handlers={Exception: routes.answer_problem})
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://floor") as http:  # pyright: ignore[reportArgumentType]
        found = await http.get("/c/customers", params={"updated_since": "2026-11-21T01:00:00+01:00"})
        early = await http.get("/c/customers", params={"updated_since": "0001-01-01T00:00:00+01:00"})
    assert (found.status_code, str(crm.asked)) == (200, "2026-11-21 00:00:00+00:00")
    assert (early.status_code, early.json()["errors"][0]["pointer"]) == (422, "/query/updated_since")


async def test_a_search_without_criteria_is_refused() -> None:
    """One of its criteria must be given: no matches would read as if there was no such record."""
    call = routes.calls(Erp, Since())["find_customers"]
    with pytest.raises(Invalid, match="Give at least one of name, tax_number, domain") as refused:
        await call({}, b"", None, b"")
    assert [fault.pointer for fault in refused.value.errors] == [
        "/query/name",
        "/query/tax_number",
        "/query/domain",
    ]


@pytest.mark.parametrize("interface", interfaces(), ids=lambda interface: api_of(interface).slug)
def test_every_document_is_sound(interface: type) -> None:
    """Each schema compiles, requests are closed, every operation has a scope and its problems' codes."""
    made = document(interface)
    components = made["components"]["schemas"]
    for name, schema in components.items():
        jsonschema_rs.validator_for({**schema, "components": {"schemas": components}})
        if name.endswith("In") and schema.get("properties"):
            assert schema["additionalProperties"] is False, name
    titles = [schema["title"] for schema in components.values() if "title" in schema]
    assert len(titles) == len(set(titles)), "a generator makes one type of a title"
    known = catalogue()
    for bound in bind(interface):
        operation = made["paths"][bound.operation.path][bound.operation.method.lower()]
        assert operation["security"] == [{"oauth": [bound.scope]}]
        codes = [
            code
            for response in operation["responses"].values()
            for code in response.get("x-problem-codes", ())
        ]
        assert set(codes) <= set(known)
        assert {kind.code for kind in bound.operation.problems} <= set(codes)


@pytest.mark.parametrize(
    "kind", sorted(catalogue().values(), key=lambda kind: kind.code), ids=lambda k: k.code
)
def test_every_problem_survives_the_wire(kind: type) -> None:
    """A problem comes back from its document as the same class with the same words."""
    sent = kind("What happened.", retry_after=3)
    back = problems.from_document(msgspec.json.decode(problems.encode(sent)))
    assert (type(back), back.detail, back.retry_after) == (kind, "What happened.", 3)


@pytest.mark.parametrize(
    "kind", sorted(catalogue().values(), key=lambda kind: kind.code), ids=lambda k: k.code
)
def test_every_problem_has_a_meaning_and_a_next_step(kind: type[Problem]) -> None:
    """Of its own, in sentences: the catalogue shows both, so neither is inherited or for developers only."""
    meaning = " ".join((kind.__doc__ or "").partition("\n\n")[0].split())
    assert all(text.endswith(".") for text in (meaning, vars(kind)["next_step"]))
    assert kind.title
    assert kind is not Problem


def test_a_vendors_request_id_travels_with_the_problem() -> None:
    """Who looks into it can name the vendor's own request."""
    sent = VendorDoubtful("No answer.", instance="erp-main", vendor_request_id="op-1")
    back = problems.from_document(problems.document(sent))
    assert isinstance(back, VendorDoubtful)
    assert (back.instance, back.vendor_request_id) == ("erp-main", "op-1")
