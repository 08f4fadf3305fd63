"""tests/conformance: what the suites must know of a vendor, which no interface says: where to trouble it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.support.deals import new_deal
from tests.support.sandboxes import Account

Call = tuple[str, str]  # method, and a pattern of the path


@dataclass(frozen=True)
class Noun:
    """How a vendor keeps one noun: its raw record type, and the call that creates it."""

    records: str
    creates: Call


@dataclass(frozen=True)
class Stand:
    """One vendor's stand-in: the call by which a noun is read, how each is created, and extra settings.

    `breaks` is an answer of status 200 that cannot be what the vendor promised. A vendor whose tokens hold
    until an administrator revokes them does not log in again.
    """

    reads: Call
    nouns: dict[str, Noun] = field(default_factory=dict)
    writes: Call = ("", "")
    account: dict[str, Any] = field(default_factory=dict)
    connection: dict[str, Any] = field(default_factory=dict)
    breaks: Any = None
    logs_in_again: bool = True
    deal: Callable[..., Awaitable[tuple[str, str]]] | None = None


async def salesforce_deal(account: Account, **fields: Any) -> tuple[str, str]:
    """An opportunity and its account, with fields by their canonical names."""
    known = {
        "amount": "Amount",
        "close_date": "CloseDate",
        "expected_start": "Expected_Start__c",
        "expected_end": "Expected_End__c",
        "currency": "CurrencyIsoCode",
    }
    said = {known[name]: value for name, value in fields.items()}
    currency = {"CurrencyIsoCode": fields["currency"]} if "currency" in fields else {}
    deal = await new_deal(account, account=currency, **said)
    return deal.opportunity_id, deal.account_id


STANDS = {
    "salesforce": Stand(
        reads=("GET", "/query"),
        writes=("POST", "/composite"),
        breaks={"records": [{"Id": 5, "Name": None}], "done": True},
        deal=salesforce_deal,
    ),
    "netsuite": Stand(
        reads=("GET", "/services/rest/record/"),
        nouns={
            "customer": Noun("customer", ("PUT", "/customer/")),
            "contract": Noun("salesOrder", ("PUT", "/salesOrder/")),
        },
        breaks={"id": 7, "companyName": None},
    ),
    "kantata": Stand(
        reads=("GET", "/workspace"),
        nouns={
            "client": Noun("workspace_groups", ("POST", "/workspace_groups")),
            "project": Noun("workspaces", ("POST", "/workspaces")),
        },
        connection={"throttled_seconds": 0, "settle_seconds": 0.6},
        logs_in_again=False,
        breaks={"results": [{"key": "workspaces", "id": "1"}], "workspaces": {}},
    ),
}
