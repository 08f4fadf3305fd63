"""What an account was when it was approved as a customer: later deals are compared with it."""

from collections.abc import Mapping
from decimal import Decimal

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from contracts.canonical import countries
from contracts.canonical.customer import Customer
from contracts.canonical.values import Money
from kit import clock
from kit.database import metadata
from kit.database.declaring import declare
from process_apis.ceilings import why_above

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


class AccountFacts(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of an account decides on whether, and how, its firm is sold to."""

    country: str = ""
    credit_limit: Money | None = None

    @classmethod
    def of(cls, account: Customer) -> "AccountFacts":
        """Those of an account as it is."""
        address = account.billing_address
        country = countries.code_or_text(address.country) if address is not None else ""
        return cls(country, account.credit_limit)


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


def changes(
    before: AccountFacts, now: AccountFacts, ceilings: Mapping[str, Decimal]
) -> tuple[dict[str, str], dict[str, str]]:
    """What finance would decide otherwise, by its name: as it was accepted, and as it is now.

    That is another country, and a credit limit that was raised above the ceiling of its currency.
    """
    names: dict[str, tuple[str, str]] = {}
    if before.country and now.country and before.country != now.country:
        names["Billing country"] = (before.country, now.country)
    limit = now.credit_limit
    raised = limit is not None and _is_raised(before.credit_limit, limit)
    if limit is not None and raised and why_above("credit limit", limit, ceilings):
        names["Credit limit"] = (_shown(before.credit_limit), _shown(limit))
    return {name: old for name, (old, _) in names.items()}, {name: new for name, (_, new) in names.items()}


def _is_raised(before: Money | None, now: Money) -> bool:
    return before is None or before.currency != now.currency or now.amount > before.amount


def _shown(limit: Money | None) -> str:
    return f"{limit.amount:,} {limit.currency}" if limit else "none"
