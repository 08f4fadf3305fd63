"""tests/support: deals in the CRM, and what the systems themselves hold of them, by their consoles."""

from dataclasses import dataclass
from typing import Any

from sandbox.core import console
from sandbox.core.console import ClientRecord, ContractRecord, CustomerRecord, ProjectRecord
from tests.support.sandboxes import Account
from tests.support.stack import Accounts, until

SMALL = 40_000  # below every ceiling: nobody need be asked
LARGE = 250_000  # finance is asked


@dataclass(frozen=True)
class Deal:
    """An opportunity and its account at the CRM."""

    crm: Account
    account_id: str
    opportunity_id: str
    name: str

    async def close(self) -> None:
        """A salesperson wins it."""
        await self.edit(stage="won")

    async def edit(self, **fields: Any) -> None:
        """A salesperson changes it; fields by their canonical names."""
        await self.crm.console.edit_deal(self.opportunity_id, **fields)

    async def edit_account(self, **fields: Any) -> None:
        await self.crm.console.edit_customer(self.account_id, **fields)

    async def opportunity(self) -> console.Deal:
        return await self.crm.console.deal(self.opportunity_id)


async def new_deal(
    crm: Account, *, credit_limit: int = SMALL, account: dict[str, Any] | None = None, **fields: Any
) -> Deal:
    """A deal that lacks nothing but the closing; `fields` are the deal's own, by their canonical names."""
    customer = {"credit_limit": credit_limit, **(account or {})}
    opportunity_id, account_id = await console.new_deal(crm.console, customer=customer, **fields)
    made = await crm.console.deal(opportunity_id)
    return Deal(crm, account_id, opportunity_id, made.name)


@dataclass(frozen=True)
class Truth:
    """What the systems hold of one deal."""

    customers: list[CustomerRecord]
    orders: list[ContractRecord]
    open_orders: list[ContractRecord]
    clients: list[ClientRecord]
    projects: list[ProjectRecord]
    live_projects: list[ProjectRecord]
    opportunity: console.Deal

    def counts(self) -> tuple[int, int, int]:
        """Live customers, contracts and projects."""
        return len(self.customers), len(self.open_orders), len(self.live_projects)


async def truth(accounts: Accounts, deal: Deal) -> Truth:
    """Everything at the systems that was made of a deal, found by its names and not by what we say."""
    named = f"{deal.name} Ltd"
    customers = [one for one in await accounts.erp.console.customers() if one.name == named]
    ids = {customer.id for customer in customers}
    orders = [one for one in await accounts.erp.console.contracts() if one.customer_id in ids]
    projects = [one for one in await accounts.psa.console.projects() if one.name == deal.name]
    return Truth(
        customers=customers,
        orders=orders,
        open_orders=[order for order in orders if order.open],
        clients=[one for one in await accounts.psa.console.clients() if one.name == named],
        projects=projects,
        live_projects=[project for project in projects if project.live],
        opportunity=await deal.opportunity(),
    )


async def holdings(accounts: Accounts) -> dict[str, int]:
    """How many objects of each kind there are at the ERP and the PSA."""
    return {
        "customers": len(await accounts.erp.console.customers()),
        "contracts": len(await accounts.erp.console.contracts()),
        "clients": len(await accounts.psa.console.clients()),
        "projects": len(await accounts.psa.console.projects()),
    }


REQUESTS = "/process/customer-master/v1/requests"
EXCEPTIONS = "/process/exceptions/v1/exceptions"


async def asked(finance: Any, deal: Deal) -> dict[str, Any]:
    """The request by which finance is asked about the deal's customer, once it is."""

    async def look() -> Any:
        found = await finance.get(REQUESTS, status="waiting", limit=200)
        mine = [item for item in found["items"] if item["proposal"]["account_id"] == deal.account_id]
        return mine[0] if mine else None

    return await until(f"finance is asked about {deal.name}", look)


async def approve(finance: Any, deal: Deal, decision: str = "approve") -> dict[str, Any]:
    """Finance decides on the deal's customer as soon as it is asked."""
    request = await asked(finance, deal)
    answer = await finance.post(
        f"{REQUESTS}/{request['id']}/decision",
        {"decision": decision, "comment": "seen by the test"},
        key=f"decision-{abs(hash(request['id']))}",
    )
    assert answer.status_code == 200, answer.text
    return request


async def resolve(finance: Any, exception_id: str, action: str, **corrections: str) -> Any:
    """A person decides on a case; the case as it was before."""
    found = await finance.get(f"{EXCEPTIONS}/{exception_id}")
    answer = await finance.post(
        f"{EXCEPTIONS}/{exception_id}/resolution",
        {"action": action, "reason": "decided in the test", "corrections": corrections},
        key=f"resolve-{abs(hash((exception_id, action)))}",
        **{"If-Match": f'"{found["version"]}"'},
    )
    assert answer.status_code == 200, answer.text
    return found
