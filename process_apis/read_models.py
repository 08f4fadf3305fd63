"""Read models: accounts and customers as the screens ask for them, written by the flows as they go."""

from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical.customer import Customer
from kit import clock
from kit.database import metadata
from kit.database.declaring import declare
from kit.database.rows import Rows, own

accounts = sa.Table(
    "accounts",
    metadata,
    sa.Column("instance", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("name", sa.Text, nullable=False, server_default=""),
    sa.Column("customer_id", sa.Text),
    sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
    sa.Index("accounts_by_customer", "customer_id"),
)

customers = sa.Table(
    "customers",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("legal_name", sa.Text, nullable=False),
    sa.Column("document", JSONB, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
)

declare(
    customers,
    rows=Rows(
        entity=customers.c.document["selling_entity"].astext,
        instance=lambda names: sa.or_(
            sa.false(), *(customers.c.document.contains({"refs": [{"instance": name}]}) for name in names)
        ),
        customer=customers.c.id,
        partner=None,
    ),
    retention="as long as the customer is known",
)


async def put_account(connection: AsyncConnection, instance: str, account_id: str, name: str) -> None:
    """Remember that an account was seen."""
    row = {"instance": instance, "account_id": account_id, "name": name, "seen_at": clock.now()}
    statement = insert(accounts).values(row)
    await connection.execute(
        statement.on_conflict_do_update(
            index_elements=["instance", "account_id"], set_={"name": name, "seen_at": row["seen_at"]}
        )
    )


async def set_account_customer(
    connection: AsyncConnection, instance: str, account_id: str, customer_id: str
) -> None:
    """Remember which customer of ours an account is."""
    await connection.execute(
        sa.update(accounts)
        .where(accounts.c.instance == instance, accounts.c.account_id == account_id)
        .values(customer_id=customer_id)
    )


async def upsert_customer(connection: AsyncConnection, customer: Customer) -> None:
    """Write a customer as it stands now."""
    row: dict[str, Any] = {
        "id": customer.id,
        "status": customer.status,
        "legal_name": customer.legal_name,
        "document": msgspec.to_builtins(customer),
        "updated_at": customer.updated_at,
    }
    changed = {name: value for name, value in row.items() if name != "id"}
    await connection.execute(
        insert(customers).values(row).on_conflict_do_update(index_elements=["id"], set_=changed)
    )


async def get_customer(connection: AsyncConnection, customer_id: str) -> Customer | None:
    """The customer by our id, if it is one of the caller's."""
    query = sa.select(customers.c.document).where(customers.c.id == customer_id, *own(customers))
    found = await connection.scalar(query)
    return None if found is None else msgspec.convert(found, Customer)
