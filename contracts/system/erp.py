"""The ERP capability: customer legal and billing master, and contracts with their billing schedules."""

from typing import Protocol

from contracts.canonical.contract import CONTRACT, Contract, ContractDraft, Contracts
from contracts.canonical.customer import CUSTOMER, Customer, CustomerDraft, Customers
from contracts.canonical.values import Cursor, Id, Instant, Key, Name, PageSize
from contracts.operation import Feature, Link, api, operation
from contracts.problems import (
    ContractViolation,
    NotFound,
    VendorDoubtful,
    VendorPending,
    VendorRejected,
    VendorUnavailable,
)

LIST = (ContractViolation, VendorRejected, VendorUnavailable, VendorDoubtful)
PUT = (*LIST, VendorPending)
READ = (NotFound, *PUT)
BILLING_SCHEDULE = Feature("billing_schedule", "no billing dates: this ERP has no billing schedule")


@api(
    "system",
    "erp",
    version=1,
    summary="Customers and contracts of one ERP instance",
    data_classes=("commercial", "financial", "personal"),
    team="finance",
    features=(BILLING_SCHEDULE,),
)
class Erp(Protocol):
    """One ERP instance. Ids are the vendor's own; every create takes the caller's key.

    Creating twice under one key, at once or years apart, in one process or several, makes one object. An
    instance that lacks BILLING_SCHEDULE is given contracts without one.
    """

    @operation(
        "GET",
        "/customers/{customer_id}",
        summary="Read a customer",
        cache_seconds=5,
        problems=READ,
        reads=CUSTOMER,
    )
    async def get_customer(self, customer_id: Id) -> Customer:
        """The customer's legal and billing master; raises NotFound."""
        ...

    @operation("GET", "/customers", summary="List customers by last change, oldest first", problems=LIST)
    async def list_customers(
        self, updated_since: Instant | None = None, cursor: Cursor | None = None, limit: PageSize = 50
    ) -> Customers:
        """A page of customers changed at or after an instant."""
        ...

    @operation(
        "GET",
        "/customers/matches",
        summary="Find customers that may be the same firm",
        problems=LIST,
        any_of=("name", "tax_number", "domain"),
    )
    async def find_customers(
        self, name: Name | None = None, tax_number: Name | None = None, domain: Name | None = None
    ) -> Customers:
        """Customers alike in tax number, normalised name or e-mail domain (at most 20); give one at least."""
        ...

    @operation(
        "GET", "/customers/by-key/{key}", summary="Read the customer created under a key", problems=READ
    )
    async def get_customer_by_key(self, key: Key) -> Customer:
        """The live customer that was created under the key; raises NotFound."""
        ...

    @operation(
        "PUT",
        "/customers/by-key/{key}",
        summary="Create a customer under a key, or bring it to this state",
        problems=PUT,
        deadline=30,
        links=(Link("get_customer", "customer_id", "id"),),
    )
    async def put_customer(self, key: Key, body: CustomerDraft) -> Customer:
        """The one customer of this key."""
        ...

    @operation(
        "GET",
        "/contracts/{contract_id}",
        summary="Read a contract and its billing schedule",
        problems=READ,
        reads=CONTRACT,
    )
    async def get_contract(self, contract_id: Id) -> Contract:
        """The contract; raises NotFound."""
        ...

    @operation("GET", "/contracts", summary="List contracts by last change, oldest first", problems=LIST)
    async def list_contracts(
        self,
        customer_id: Id | None = None,
        updated_since: Instant | None = None,
        cursor: Cursor | None = None,
        limit: PageSize = 50,
    ) -> Contracts:
        """A page of contracts, of one customer if given."""
        ...

    @operation(
        "GET", "/contracts/by-key/{key}", summary="Read the contract created under a key", problems=READ
    )
    async def get_contract_by_key(self, key: Key) -> Contract:
        """The contract that was created under the key, open or closed; raises NotFound."""
        ...

    @operation(
        "PUT",
        "/contracts/by-key/{key}",
        summary="Create a contract with its billing schedule under a key, or revive and update it",
        problems=READ,
        deadline=30,
        links=(Link("get_contract", "contract_id", "id"),),
    )
    async def put_contract(self, key: Key, body: ContractDraft) -> Contract:
        """The one contract of this key; a closed one is opened again. NotFound for an unknown customer."""
        ...

    @operation(
        "DELETE", "/contracts/by-key/{key}", summary="Close the contract of a key", problems=READ, deadline=30
    )
    async def close_contract(self, key: Key) -> Contract:
        """The contract with all its lines closed (undo); closing a closed one changes nothing."""
        ...
