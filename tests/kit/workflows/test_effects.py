"""tests/kit/workflows: effects: sent once, undone, put back to what stood before, or only worked out."""

from pathlib import Path
from typing import Any, Protocol

import msgspec
import pytest

from contracts.canonical.workflow import PlannedRequest
from contracts.operation import api, operation
from contracts.problems import NotFound, OwnershipViolation, PreconditionFailed, Unexpected, VendorRejected
from kit.effects import Effect, Effects, Owned, Source, Undo, guarded
from kit.ownership import Ownership
from kit.workflows import Run, explain
from tests.kit.workflows.conftest import Workbench
from tests.kit.workflows.story import Input

OWNERSHIP = Ownership.load(Path(__file__).parents[3] / "contracts/ownership")


class Price(msgspec.Struct, frozen=True):
    """What a shelf says of one thing."""

    amount: int
    legal_name: str = ""
    id: str = ""


@api("system", "shelf", version=1, summary="Prices")
class Shelf(Protocol):
    """A small system."""

    @operation("GET", "/prices/{key}", summary="Read")
    async def get_price(self, key: str) -> Price: ...

    @operation("PUT", "/prices/{key}", summary="Write")
    async def put_price(self, key: str, body: Price) -> Price: ...

    @operation("DELETE", "/prices/{key}", summary="Remove")
    async def remove_price(self, key: str) -> Price: ...


class Prices:
    """The small system itself, which remembers every write."""

    def __init__(self, **prices: int) -> None:
        self.prices = {key: Price(amount, id=key) for key, amount in prices.items()}
        self.writes: list[tuple[str, int | None]] = []

    async def get_price(self, key: str) -> Price:
        if key not in self.prices:
            raise NotFound
        return self.prices[key]

    async def put_price(self, key: str, body: Price) -> Price:
        self.writes.append((key, body.amount))
        if body.amount > 100:
            raise PreconditionFailed("Too dear")
        self.prices[key] = msgspec.structs.replace(body, id=key)
        return self.prices[key]

    async def remove_price(self, key: str) -> Price:
        self.writes.append((key, None))
        return self.prices.pop(key, Price(0))


def effect(**more: Any) -> Effect[Price]:
    """The price of tea becomes three."""
    return Effect(
        **{
            "step": "price-tea",
            "title": "Price the tea",
            "instance": "shelf-one",
            "operation": Shelf.put_price,
            "key": "tea",
            "body": lambda: Price(3),
            "returns": Price,
            "noun": "price",
            **more,
        }
    )


class Pricing:
    """Applies effects one after the other, and fails for good at the end if it shall."""

    name, input = "story", Input

    def __init__(
        self, deployment: Workbench, shelf: Prices, *effects: Effect[Price], fails: bool = False
    ) -> None:
        self.on_failure = "undo" if fails else "park"
        self.made: list[Price] = []
        self._effects, self._fails = effects, fails
        client = guarded(Shelf, shelf)
        self._apply = Effects(lambda _, __: client, OWNERSHIP, deployment.database).apply

    async def run(self, run: Run) -> None:
        source = Source(record="deal", revision=1, explain=lambda problem: explain(problem, "Price"))
        for one in self._effects:
            self.made.append(await self._apply(run, source, one))
        if run.observing:
            await run.observed("Tea")
        elif self._fails:
            await run.step("fail", "Fail", _refused, returns=type(None))


async def _refused() -> None:
    raise VendorRejected("no", instance="shelf-one")


async def test_a_client_of_a_flow_writes_in_an_effect_only() -> None:
    """Whatever else a flow calls it from: reading is free, a write raises before anything leaves."""
    shelf = Prices(tea=1)
    client = guarded(Shelf, shelf)
    assert (await client.get_price("tea")).amount == 1
    with pytest.raises(Unexpected, match="system/shelf@1 put_price was called outside an effect"):
        await client.put_price("tea", Price(3))
    assert shelf.writes == []


async def test_an_effect_is_made_once_and_undone_under_its_key(deployment: Workbench) -> None:
    """However often it is applied; undone when the run is, by an operation without a body."""
    shelf = Prices()
    tea = effect(find=Shelf.get_price, undo=Undo("Take it off", Shelf.remove_price))
    async with deployment.worker(Pricing(deployment, shelf, tea, tea, fails=True)):
        await deployment.start()
        await deployment.until("undone")
    assert shelf.writes == [("tea", 3), ("tea", None)] or shelf.writes[0] == ("tea", 3)
    assert (shelf.writes, shelf.prices) == ([("tea", 3), ("tea", None), ("tea", None)], {})


@pytest.mark.parametrize("former", [{"tea": 1}, {}])
async def test_a_change_is_undone_to_the_former_value(deployment: Workbench, former: dict[str, int]) -> None:
    """What stood there is read and stored before; where nothing did, the undo is told that too."""
    shelf = Prices(**former)
    undo = Undo("Put it back", Shelf.put_price, body=lambda _, before: Price(before.amount if before else 0))
    async with deployment.worker(
        Pricing(deployment, shelf, effect(before=Shelf.get_price, undo=undo), fails=True)
    ):
        await deployment.start()
        await deployment.until("undone")
    assert shelf.writes == [("tea", 3), ("tea", former.get("tea", 0))]
    assert [name for name, _ in await deployment.timeline()][:2] == ["price-tea-before", "price-tea"]


async def test_a_run_that_observes_records_and_sends_nothing(deployment: Workbench) -> None:
    """The first effect's id stands in brackets in the body of the second."""
    shelf = Prices(tea=1)
    later: list[Price] = []
    milk = effect(step="price-milk", key="milk", body=lambda: Price(4, later[0].id), before=Shelf.get_price)
    flow = Pricing(deployment, shelf, effect(), milk)
    later = flow.made
    async with deployment.worker(flow) as runtime:
        await deployment.start(mode="observe")
        run = await deployment.until("observed")
        planned = await runtime.planned_requests("run_1")
    assert planned == (
        PlannedRequest(
            "price-tea", "shelf-one", "shelf.put_price", "tea", '{"amount":3,"legal_name":"","id":""}'
        ),
        PlannedRequest(
            "price-milk",
            "shelf-one",
            "shelf.put_price",
            "milk",
            '{"amount":4,"legal_name":"<price>","id":""}',
        ),
    )
    assert (run.mode, run.finished_at is not None) == ("observe", True)
    assert run.status_text == "Tea was observed: 2 requests worked out, none sent."
    assert shelf.writes == []


async def test_a_body_that_we_may_not_write_is_not_sent(deployment: Workbench) -> None:
    """Judged by the ownership rules, under the rules' own names."""
    shelf = Prices()
    owned = Owned("customer", "approved", {"amount": "credit_limit"}, frozenset({"id", "legal_name"}))
    async with deployment.worker(Pricing(deployment, shelf, effect(owned=owned))):
        await deployment.start()
        case = await deployment.case(await deployment.until("parked"))
    assert (case.kind, case.errors[0].pointer) == (OwnershipViolation.code, "/credit_limit")
    assert shelf.writes == []


async def test_what_stands_for_a_refused_precondition_is_the_result(deployment: Workbench) -> None:
    """An effect may say what it comes to where the vendor finds that its condition no longer holds."""

    async def instead(refusal: PreconditionFailed) -> Price:
        return Price(0, refusal.detail)

    flow = Pricing(deployment, Prices(), effect(body=lambda: Price(101), if_unmet=instead))
    async with deployment.worker(flow):
        await deployment.start()
        await deployment.until("done")
    assert flow.made == [Price(0, "Too dear")]
