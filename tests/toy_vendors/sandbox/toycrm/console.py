"""The Toy CRM stand-in's console: what a salesperson does and sees in its screens."""

from decimal import Decimal
from typing import Any

from sandbox.core.console import Console, Deal, Record

_DEAL = {"name": "title", "stage": "state", "customer_id": "account"}
_OWN = ("name", "stage", "customer_id", "customer_name", "lines", "amount", "id")
_SAME = tuple(name for name in Deal.__dataclass_fields__ if name not in _OWN)


class ToyCrmConsole(Console):
    """A CRM."""

    title = "Toy CRM"

    async def deals(self) -> list[Deal]:
        accounts = {one["id"]: one for one in await self.screens.records("accounts")}
        return [_deal(one, accounts[one["account"]]) for one in await self.screens.records("deals")]

    async def deal(self, deal_id: str) -> Deal:
        one = await self.screens.record("deals", deal_id)
        return _deal(one, await self.screens.record("accounts", one["account"]))

    async def create_customer(self, **fields: Any) -> str:
        fields.pop("country_name", "")
        return (await self.screens.create("accounts", **fields))["id"]

    async def restore_customer(self, customer_id: str, **fields: Any) -> None:
        await self.screens.seed({"accounts": [{"id": customer_id, **fields}]})

    async def edit_customer(self, customer_id: str, **fields: Any) -> None:
        await self.screens.edit("accounts", customer_id, **fields)

    async def create_deal(self, **fields: Any) -> str:
        return (await self.screens.create("deals", **_named({"stage": "open", **fields})))["id"]

    async def edit_deal(self, deal_id: str, **fields: Any) -> None:
        await self.screens.edit("deals", deal_id, **_named(fields))

    async def copy_deal(self, deal_id: str, **fields: Any) -> str:
        model = await self.screens.record("deals", deal_id)
        own = ("id", "key", "version", "changed_at", "state", "state_since")
        copied = {
            name: value
            for name, value in model.items()
            if name not in own and not name.startswith("project_")
        }
        made = await self.screens.create("deals", **{**copied, **_named({"stage": "open", **fields})})
        return made["id"]


CONSOLE = ToyCrmConsole


def _named(fields: Record) -> Record:
    """The fields by the vendor's names; what is empty is not there."""
    return {_DEAL.get(name, name): "" if value is None else value for name, value in fields.items()}


def _deal(one: Record, account: Record) -> Deal:
    amount = one.get("amount")
    return Deal(
        id=one["id"],
        name=one["title"],
        stage=one["state"],
        customer_id=one["account"],
        customer_name=account["legal_name"],
        amount=None if amount is None else Decimal(str(amount)),
        **{name: one.get(name) or "" for name in _SAME},
    )
