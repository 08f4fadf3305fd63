"""The API of the view of customers: list, read."""

import msgspec
import sqlalchemy as sa

from contracts.canonical.customer import Customer, Customers
from contracts.problems import NotFound
from contracts.system.crm import Crm
from kit.database.rows import own
from process_apis.module import FlowDependencies
from process_apis.views.customers.table import customers, known_in, sold_by
from process_apis.views.paging import read_page


class CustomerViewService:
    """The customers that the caller may see."""

    def __init__(self, dependencies: FlowDependencies) -> None:
        self._database = dependencies.database
        self._systems = dependencies.systems

    async def list_customers(
        self,
        name: str | None = None,
        entity: str | None = None,
        instance: str | None = None,
        account_id: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> Customers:
        """A page of customers, in the order of their ids."""
        query = sa.select(customers.c.id, customers.c.document).where(*own(customers))
        if name:
            query = query.where(customers.c.legal_name.icontains(name, autoescape=True))
        if entity:
            query = query.where(sold_by(entity))
        if instance:
            query = query.where(known_in(instance))
        if account_id:
            query = query.where(self._of_account(instance, account_id))
        async with self._database.connect() as connection:
            page = await read_page(connection, query, (customers.c.id,), cursor, limit)
        items = tuple(msgspec.convert(row.document, Customer) for row in page.rows)
        return Customers(items, page.next_cursor)

    async def get_customer(self, customer_id: str) -> Customer:
        """The customer by our id; raises NotFound."""
        query = sa.select(customers.c.document).where(customers.c.id == customer_id, *own(customers))
        async with self._database.connect() as connection:
            document = await connection.scalar(query)
        if document is None:
            raise NotFound(f"No customer has the id {customer_id}.")
        return msgspec.convert(document, Customer)

    def _of_account(self, instance: str | None, account_id: str) -> sa.ColumnElement[bool]:
        """The customer of an account, as any CRM of ours would spell its id where none is named."""
        spelled = self._systems.spellings(Crm, "customer", account_id)
        refs = ({"object": "customer", "id": each} for each in {account_id, *spelled})
        if instance:
            refs = ({"instance": instance, **ref} for ref in refs)
        return sa.or_(*(customers.c.document.contains({"refs": [ref]}) for ref in refs))
