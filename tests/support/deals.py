"""tests/support: deals in the CRM, and what the three vendors themselves hold of them."""

import itertools
from dataclasses import dataclass
from typing import Any

from tests.support.sandboxes import Account
from tests.support.stack import Accounts, until

_NUMBERS = itertools.count(1)

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
        """A salesperson sets the stage to Closed Won."""
        await self.crm.edit("Opportunity", self.opportunity_id, StageName="Closed Won")

    async def edit(self, **fields: Any) -> None:
        await self.crm.edit("Opportunity", self.opportunity_id, **fields)

    async def opportunity(self) -> dict[str, Any]:
        return await self.crm.record("Opportunity", self.opportunity_id)


async def new_deal(
    crm: Account, *, credit_limit: int = SMALL, account: dict[str, Any] | None = None, **fields: Any
) -> Deal:
    """A deal that lacks nothing but the closing; `fields` are the opportunity's own."""
    name = f"Deal {crm.name} {next(_NUMBERS)}"
    made = await crm.create(
        "Account",
        **{
            "Name": f"{name} Ltd",
            "BillingStreet": "1 Quay Street",
            "BillingCity": "Leeds",
            "BillingPostalCode": "LS1 1AA",
            "BillingCountryCode": "GB",
            "BillingCountry": "United Kingdom",
            "CurrencyIsoCode": "GBP",
            "Tax_Number__c": f"GB{abs(hash(name)) % 10**9:09d}",
            "Credit_Limit__c": credit_limit,
            **(account or {}),
        },
    )
    opportunity = await crm.create(
        "Opportunity",
        **{
            "Name": name,
            "AccountId": made["Id"],
            "StageName": "Negotiation/Review",
            "CloseDate": "2026-12-18",
            "CurrencyIsoCode": "GBP",
            "Amount": 96000,
            "Service_Line__c": "Cloud Migration",
            "Delivery_Region__c": "UK & Ireland",
            "Pricing_Model__c": "Fixed price",
            "Delivery_Template__c": "DT-CLOUD-MIGRATION",
            "Rate_Card__c": "RC-UK-2026",
            "Payment_Terms__c": "Net 30",
            "Expected_Start__c": "2027-01-11",
            "Expected_End__c": "2027-06-30",
            **fields,
        },
    )
    return Deal(crm, made["Id"], opportunity["Id"], name)


@dataclass(frozen=True)
class Truth:
    """What the vendors hold of one deal."""

    customers: list[dict[str, Any]]
    orders: list[dict[str, Any]]
    open_orders: list[dict[str, Any]]
    clients: list[dict[str, Any]]
    projects: list[dict[str, Any]]
    live_projects: list[dict[str, Any]]
    opportunity: dict[str, Any]

    def counts(self) -> tuple[int, int, int]:
        """Live customers, contracts and projects."""
        return len(self.customers), len(self.open_orders), len(self.live_projects)


def _open(order: dict[str, Any]) -> bool:
    lines = order.get("item", {}).get("items", [])
    return any(not line.get("isClosed") for line in lines)


async def truth(accounts: Accounts, deal: Deal) -> Truth:
    """Everything at the vendors that was made of a deal, found by its names and not by what we say."""
    customers = await accounts.netsuite.records("customer")
    orders = await accounts.netsuite.records("salesOrder")
    clients = await accounts.kantata.records("workspace_groups")
    projects = await accounts.kantata.records("workspaces")
    ours = [c for c in customers if c.get("companyName") == f"{deal.name} Ltd"]
    ids = {customer["id"] for customer in ours}
    theirs = [order for order in orders if order["entity"]["id"] in ids]
    named = [project for project in projects if project["title"] == deal.name]
    return Truth(
        customers=ours,
        orders=theirs,
        open_orders=[order for order in theirs if _open(order)],
        clients=[client for client in clients if client["name"] == f"{deal.name} Ltd"],
        projects=named,
        live_projects=[project for project in named if not project.get("archived")],
        opportunity=await deal.opportunity(),
    )


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
