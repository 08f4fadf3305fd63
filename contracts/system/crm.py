"""The CRM capability: opportunities, accounts (as customers) and contacts, and the project's way back."""

from typing import Protocol

from contracts.canonical.contact import Contacts
from contracts.canonical.customer import CUSTOMER, Customer, Customers
from contracts.canonical.opportunity import OPPORTUNITY, Opportunities, Opportunity, ProjectLink
from contracts.canonical.values import Cursor, Id, Instant, PageSize
from contracts.operation import Feature, Link, api, operation
from contracts.problems import (
    ContractViolation,
    NotFound,
    PreconditionFailed,
    VendorDoubtful,
    VendorPending,
    VendorRejected,
    VendorUnavailable,
)

LIST = (ContractViolation, VendorRejected, VendorUnavailable, VendorDoubtful)
READ = (NotFound, *LIST)
WRITE = (*READ, PreconditionFailed, VendorPending)
PRECONDITION = Feature("precondition", "without a condition: this CRM cannot refuse a write at another stage")


@api(
    "system",
    "crm",
    version=1,
    summary="Opportunities, accounts and contacts of one CRM instance",
    data_classes=("commercial", "financial", "personal"),
    team="sales operations",
    features=(PRECONDITION,),
)
class Crm(Protocol):
    """One CRM instance. Ids are the vendor's own.

    An instance that lacks PRECONDITION is given no `only_while`: its last writer wins.
    """

    @operation(
        "GET",
        "/opportunities/{opportunity_id}",
        summary="Read an opportunity with its lines and account team",
        problems=READ,
        links=(Link("get_customer", "customer_id", "customer_id"),),
        reads=OPPORTUNITY,
    )
    async def get_opportunity(self, opportunity_id: Id) -> Opportunity:
        """The opportunity as the CRM has it now; raises NotFound."""
        ...

    @operation(
        "GET", "/opportunities", summary="List opportunities by last change, oldest first", problems=LIST
    )
    async def list_opportunities(
        self, updated_since: Instant | None = None, cursor: Cursor | None = None, limit: PageSize = 50
    ) -> Opportunities:
        """A page of opportunities changed at or after an instant."""
        ...

    @operation(
        "PUT",
        "/opportunities/{opportunity_id}/project",
        summary="Write the project's ids back on the opportunity",
        precondition=False,
        problems=WRITE,
    )
    async def put_project_link(self, opportunity_id: Id, body: ProjectLink) -> Opportunity:
        """The opportunity after the write. Naturally idempotent: the same link again changes nothing.

        Raises PreconditionFailed where the deal is not at the stage that the body asks for.
        """
        ...

    @operation(
        "GET",
        "/customers/{customer_id}",
        summary="Read an account as a customer",
        cache_seconds=5,
        problems=READ,
        reads=CUSTOMER,
    )
    async def get_customer(self, customer_id: Id) -> Customer:
        """The account's engagement context and proposed billing data; raises NotFound."""
        ...

    @operation("GET", "/customers", summary="List accounts by last change, oldest first", problems=LIST)
    async def list_customers(
        self, updated_since: Instant | None = None, cursor: Cursor | None = None, limit: PageSize = 50
    ) -> Customers:
        """A page of accounts changed at or after an instant."""
        ...

    @operation(
        "GET",
        "/customers/{customer_id}/contacts",
        summary="List an account's contacts",
        cache_seconds=5,
        problems=READ,
    )
    async def list_contacts(
        self, customer_id: Id, cursor: Cursor | None = None, limit: PageSize = 50
    ) -> Contacts:
        """A page of the account's contacts."""
        ...
