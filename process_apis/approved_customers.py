"""What an account was when it was approved as a customer: later deals are compared with it."""

from decimal import Decimal

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from kit import clock
from kit.database import metadata
from kit.database.declaring import declare
from process_apis.account_comparison import AccountFacts

approved_customers = sa.Table(
    "approved_customers",
    metadata,
    sa.Column("instance", sa.Text, primary_key=True),
    sa.Column("account_id", sa.Text, primary_key=True),
    sa.Column("entity", sa.Text, primary_key=True),
    sa.Column("facts", JSONB, nullable=False),
    sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
)
declare(approved_customers, rows=None, retention="as long as the account may have another deal")


class CreditPolicy(msgspec.Struct, frozen=True):
    """The part of customer master's policy that later deals are judged by, too."""

    approve_credit_limit_above: dict[str, Decimal] = {}


class CustomerMasterSection(msgspec.Struct, frozen=True):
    """Of the settings of customer master, what other flows read."""

    policy: CreditPolicy = CreditPolicy()


async def accepted(
    connection: AsyncConnection, instance: str, account_id: str, entity: str
) -> AccountFacts | None:
    """The facts that were accepted last for a legal entity; None where none are known."""
    row = approved_customers.c
    this = (row.instance == instance) & (row.account_id == account_id) & (row.entity == entity)
    facts = (await connection.execute(sa.select(row.facts).where(this))).scalar()
    return msgspec.convert(facts, AccountFacts) if facts is not None else None


async def accept(
    connection: AsyncConnection, instance: str, account_id: str, entity: str, facts: AccountFacts
) -> None:
    """These facts are what the next deal of the account is compared with."""
    values = {"facts": msgspec.to_builtins(facts), "accepted_at": clock.now()}
    row = insert(approved_customers).values(instance=instance, account_id=account_id, entity=entity, **values)
    keys = ["instance", "account_id", "entity"]
    await connection.execute(row.on_conflict_do_update(index_elements=keys, set_=values))
