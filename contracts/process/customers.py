"""The view of customers: the firms that we sell to, as they were approved, with their ids in all systems."""

from typing import Annotated, Protocol

from msgspec import Meta

from contracts.canonical.customer import Customer, Customers
from contracts.canonical.values import Cursor, Id, Instance, PageSize
from contracts.operation import api, operation
from contracts.problems import NotFound

_Entity = Annotated[str, Meta(min_length=1, max_length=60)]
_Text = Annotated[str, Meta(min_length=1, max_length=120)]


@api(
    "process",
    "customers",
    version=1,
    summary="The customers that were approved, with their ids in all systems",
    data_classes=("commercial", "financial", "personal"),
)
class CustomerView(Protocol):
    """Read only, and a moment behind customer master, whose events it follows."""

    @operation("GET", "/customers", summary="List customers, in the order of their ids")
    async def list_customers(
        self,
        name: _Text | None = None,
        entity: _Entity | None = None,
        instance: Instance | None = None,
        account_id: Id | None = None,
        cursor: Cursor | None = None,
        limit: PageSize = 50,
    ) -> Customers:
        """A page of customers: with a text in the name, of an entity, known in an instance, of an account."""
        ...

    @operation(
        "GET",
        "/customers/{customer_id}",
        summary="Read a customer of ours with its references",
        problems=(NotFound,),
    )
    async def get_customer(self, customer_id: Id) -> Customer:
        """The customer by our id (``cus_…``); raises NotFound."""
        ...
