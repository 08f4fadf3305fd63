"""system_apis: Sales Cloud's records; money retains its digits, instants remain text."""

import datetime as dt
from decimal import Decimal

import msgspec

from system_apis.platforms.salesforce_org.records import ChangeRecord, Page, Stamped, User


class LineItem(msgspec.Struct, frozen=True, rename="pascal"):
    id: str
    quantity: Decimal
    unit_price: Decimal | None = None
    total_price: Decimal | None = None
    name: str | None = None
    description: str | None = None
    product_code: str | None = None
    service_date: dt.date | None = None


class TeamMemberRecord(msgspec.Struct, frozen=True, rename="pascal"):
    team_member_role: str | None = None
    user: User | None = None


class OpportunityRecord(Stamped, frozen=True, rename="pascal", kw_only=True):
    name: str
    stage_name: str
    is_won: bool
    is_closed: bool
    close_date: dt.date | None = None
    account_id: str | None = None
    amount: Decimal | None = None
    currency_iso_code: str | None = None
    probability: Decimal | None = None
    owner: User | None = None
    opportunity_line_items: Page[LineItem] | None = None
    opportunity_team_members: Page[TeamMemberRecord] | None = None


class AccountRecord(Stamped, frozen=True, rename="pascal", kw_only=True):
    name: str
    currency_iso_code: str | None = None
    parent_id: str | None = None
    industry: str | None = None
    website: str | None = None
    owner: User | None = None
    billing_street: str | None = None
    billing_city: str | None = None
    billing_state: str | None = None
    billing_state_code: str | None = None
    billing_postal_code: str | None = None
    billing_country: str | None = None
    billing_country_code: str | None = None


class MergedRecord(msgspec.Struct, frozen=True, rename="pascal"):
    """A deleted account; `master_record_id` is the one that it was merged into."""

    master_record_id: str | None = None


class ContactRecord(Stamped, frozen=True, rename="pascal", kw_only=True):
    name: str
    email: str | None = None
    phone: str | None = None
    title: str | None = None


class SalesChange(ChangeRecord, frozen=True, rename="pascal", kw_only=True):
    """A row of the poll; only opportunities have the stage's fields, only accounts are merged."""

    is_won: bool = False
    is_closed: bool = False
    last_stage_change_date: str | None = None
    master_record_id: str | None = None


class StageRecord(msgspec.Struct, frozen=True, rename="pascal"):
    """A row of the org's own table of stages."""

    master_label: str
    is_won: bool
    is_closed: bool
    api_name: str | None = None
