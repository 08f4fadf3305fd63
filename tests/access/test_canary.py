"""The probes themselves: a deployment that leaks is found out, whichever way, and a tight one is not."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, Protocol

import httpx
import msgspec
import pytest

from contracts.canonical.values import Id
from contracts.operation import RowRule, api, operation
from contracts.problems import Conflict, Forbidden, NotFound
from gateway.identity import DevelopmentIssuer
from gateway.inventory import Mounted, scopes_of
from gateway.pipeline import GatewaySettings
from gateway.plans import Consumer
from gateway.policies.hop import in_process
from kit import context
from kit.operations import api_of, document
from tests.access.probing import Persona, Probe, Prober, World, probes, targets_of
from tests.gateway.deployment import believing
from tests.support.gateways import make_gateway

URL = "http://canary.test"


class Row(msgspec.Struct, frozen=True, omit_defaults=True):
    id: Id
    owner: str
    secret: str
    version: str = "1"


class Rows(msgspec.Struct, frozen=True):
    items: tuple[Row, ...]


class Note(msgspec.Struct, frozen=True):
    row_id: Id


@api("experience", "rows", version=1, summary="Rows of customers", audiences=("internal", "outside"))
class RowsApi(Protocol):
    """Each customer has its own."""

    @operation("GET", "/rows/{row_id}", summary="Read", problems=(NotFound, Forbidden))
    async def get_row(self, row_id: Id) -> Row: ...

    @operation("GET", "/rows", summary="List")
    async def list_rows(self, row_id: Id | None = None) -> Rows: ...

    @operation("POST", "/notes", summary="Note", idempotency="natural", problems=(NotFound, Conflict))
    async def write_note(self, body: Note) -> Rows: ...

    @operation(
        "GET",
        "/customers/{customer}",
        summary="Read all of a customer",
        rows=(RowRule("path", "customer", "customer"),),
    )
    async def get_customer(self, customer: Id) -> Rows: ...


ROWS = (Row("row-acme-1", "acme", "the plans of acme"), Row("row-globex-1", "globex", "the plans of globex"))


class Tight:
    """Keeps each customer's rows to itself."""

    def _own(self) -> tuple[Row, ...]:
        caller = context.current().caller
        return tuple(row for row in ROWS if caller and row.owner == caller.claims["customer"])

    async def get_row(self, row_id: str) -> Row:
        for row in self._own():
            if row.id == row_id:
                return row
        raise NotFound(f"There is no row {row_id}")

    async def list_rows(self, row_id: str | None = None) -> Rows:
        return Rows(tuple(row for row in self._own() if row_id in (None, row.id)))

    async def write_note(self, body: Note) -> Rows:
        return Rows((await self.get_row(body.row_id),))

    async def get_customer(self, customer: str) -> Rows:  # noqa: ARG002 - the gateway has compared it
        return Rows(self._own())


class ReadsAll(Tight):
    async def get_row(self, row_id: str) -> Row:
        return next((row for row in ROWS if row.id == row_id), None) or await super().get_row(row_id)


class ListsAll(Tight):
    async def list_rows(self, row_id: str | None = None) -> Rows:
        return Rows(tuple(row for row in ROWS if row_id in (None, row.id)))


class TellsThatThereIs(Tight):
    async def get_row(self, row_id: str) -> Row:
        if row_id in {row.id for row in ROWS} - {row.id for row in self._own()}:
            raise Forbidden("Not yours")
        return await super().get_row(row_id)


class TellsWhose(Tight):
    async def write_note(self, body: Note) -> Rows:
        for row in ROWS:
            if row.id == body.row_id and row not in self._own():
                raise NotFound(f"There is no row {row.id} of yours, but one of {row.owner}")
        return await super().write_note(body)


LEAKY = {
    ReadsAll: {"rows.get_row", "rows.write_note"},
    ListsAll: {"rows.list_rows"},
    TellsThatThereIs: {"rows.get_row", "rows.write_note"},
    TellsWhose: {"rows.write_note"},
}
GLOBEX = World(
    "globex",
    {"row_id": ("row-globex-1",), "customer": ("globex",)},
    {"row-globex-1": "row-nobody-1", "globex": "nobody"},
    frozenset({"row-globex-1", "globex", "the plans of globex"}),
)
CONSUMERS = {
    name: Consumer(title="", outside=True, scopes=("*.*.*",), claims={"customer": name})
    for name in ("acme", "globex")
}


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("canary")


@pytest.fixture
async def found_in(keys: Path, request: pytest.FixtureRequest) -> AsyncIterator[set[str]]:
    """The operations of a deployment in which acme learns of globex's rows."""
    mounted = [Mounted(RowsApi, document(RowsApi), in_process(RowsApi, request.param()))]
    issuer = DevelopmentIssuer(
        keys, issuer=URL, audience=URL, consumers=CONSUMERS, scopes=scopes_of([api_of(RowsApi)])
    )
    door = make_gateway(
        settings=believing(GatewaySettings()),
        consumers=CONSUMERS,
        apis=mounted,
        public_url=URL,
        issuer=issuer,
    )
    acme = Persona("acme", issuer.mint("acme"), frozenset({"acme"}))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(door), base_url=URL) as http:

        async def send(persona: Persona, probe: Probe) -> httpx.Response:
            headers = {**probe.headers, "Authorization": f"Bearer {persona.token}"}
            return await http.request(
                probe.method, probe.path, params=probe.query, headers=headers, json=probe.body
            )

        prober = Prober(send)
        yield {
            target.name
            for target in targets_of(api_of(RowsApi).prefix, document(RowsApi))
            for probe in probes(target, GLOBEX.words)
            if await prober.leaks(acme, GLOBEX, probe)
        }


@pytest.mark.parametrize("found_in", [Tight], indirect=True)
def test_a_tight_house_is_not_accused(found_in: set[str]):
    """Rows that are kept to their owners leak nothing by any probe."""
    assert found_in == set()


@pytest.mark.parametrize(
    ("found_in", "leaky"), LEAKY.items(), indirect=["found_in"], ids=[kind.__name__ for kind in LEAKY]
)
def test_a_leak_is_found_where_it_is(found_in: set[str], leaky: Any):
    """A row read, a row listed, a 403 that tells from 404, and a sentence too many: each by its operation."""
    assert found_in == leaky
