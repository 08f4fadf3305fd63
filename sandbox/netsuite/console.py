"""The NetSuite stand-in's console: what an accountant of Northbeam does and sees in NetSuite's screens."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sandbox.core.console import Console, ContractRecord, CustomerRecord, Record

_ENTITIES = {"NB-UK": "2", "NB-US": "3", "NB-DE": "4"}


class NetSuiteConsole(Console):
    """An ERP: customers, and sales orders with their billing schedules."""

    title = "NetSuite"

    def settings(self, hook: str) -> Record:
        """The account's change script is deployed: it pushes to the address, signed with a secret."""
        return {"push_url": hook}

    async def customers(self) -> list[CustomerRecord]:
        return [
            CustomerRecord(
                id=one["id"],
                key=one.get("externalId") or "",
                name=one.get("companyName") or "",
                active=not one.get("isInactive"),
                tax_number=one.get("vatRegNumber") or "",
                credit_limit=_amount(one.get("creditLimit")),
            )
            for one in await self.screens.records("customer")
        ]

    async def create_customer(self, *, name: str, entity: str, tax_number: str = "") -> str:
        numbered = {"vatRegNumber": tax_number} if tax_number else {}
        made = await self.screens.create(
            "customer", companyName=name, subsidiary={"id": _ENTITIES[entity]}, **numbered
        )
        return made["id"]

    async def block_customer(self, customer_id: str, *, blocked: bool = True) -> None:
        await self.screens.edit("customer", customer_id, isInactive=blocked)

    async def contracts(self) -> list[ContractRecord]:
        schedules = {one["id"]: one for one in await self.screens.records("billingSchedule")}
        return [_contract(one, schedules) for one in await self.screens.records("salesOrder")]


CONSOLE = NetSuiteConsole


def _contract(order: Record, schedules: dict[str, Record]) -> ContractRecord:
    lines = order.get("item", {}).get("items", [])
    return ContractRecord(
        id=order["id"],
        key=order.get("externalId") or "",
        number=order.get("tranId") or "",
        customer_id=_id(order.get("entity")),
        deal_id=order.get("custbody_enfilade_opportunity") or "",
        open=any(not line.get("isClosed") for line in lines),
        total=Decimal(str(order.get("subtotal") or 0)),
        lines=tuple(Decimal(str(line["amount"])) for line in lines),
        billing=tuple(_billed(schedules.get(_id(order.get("billingSchedule")), {}))),
        tax=Decimal(str(order.get("taxTotal") or 0)),
    )


def _billed(schedule: Record) -> Iterator[Decimal]:
    for kind in ("milestone", "recurrence"):
        for part in schedule.get(kind, {}).get("items", ()):
            yield Decimal(str(part.get("milestoneAmount") or part.get("amount")))


def _amount(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def _id(reference: Any) -> str:
    return str(reference["id"]) if isinstance(reference, dict) else str(reference or "")
