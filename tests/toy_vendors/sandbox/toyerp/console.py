"""The Toy ERP stand-in's console: what an accountant does and sees in its screens."""

from decimal import Decimal
from typing import Any

from sandbox.core.console import Console, ContractRecord, CustomerRecord


class ToyErpConsole(Console):
    """An ERP."""

    title = "Toy ERP"

    async def customers(self) -> list[CustomerRecord]:
        return [
            CustomerRecord(
                id=one["id"],
                key=one["key"],
                name=one["master"]["legal_name"],
                tax_number=next((tax["number"] for tax in one["master"].get("tax_registrations", ())), ""),
                credit_limit=_amount(one["master"].get("credit_limit")),
            )
            for one in await self.screens.records("customers")
        ]

    async def create_customer(self, *, name: str, entity: str, tax_number: str = "") -> str:
        numbers = [{"country": "GB", "number": tax_number}] if tax_number else []
        master = {"legal_name": name, "selling_entity": entity, "currency": "GBP"}
        made = await self.screens.create("customers", master={**master, "tax_registrations": numbers})
        return made["id"]

    async def block_customer(self, customer_id: str, *, blocked: bool = True) -> None:
        await self.screens.edit("customers", customer_id, blocked=blocked)

    async def contracts(self) -> list[ContractRecord]:
        return [
            ContractRecord(
                id=one["id"],
                key=one["key"],
                number=f"TC-{one['id']}",
                customer_id=one["terms"]["customer_id"],
                deal_id=one["terms"]["opportunity_ref"],
                open=one["status"] == "active",
                total=Decimal(one["terms"]["value"]["amount"]),
                lines=tuple(Decimal(line["amount"]["amount"]) for line in one["terms"]["lines"]),
                billing=tuple(
                    Decimal(line["amount"]["amount"]) for line in one["terms"].get("billing_schedule", ())
                ),
            )
            for one in await self.screens.records("contracts")
        ]


CONSOLE = ToyErpConsole


def _amount(money: Any) -> Decimal | None:
    return None if money is None else Decimal(money["amount"])
