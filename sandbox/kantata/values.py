"""Kantata stand-in: what a written value may look like, and how it is stored."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.kantata.problems import fault, system


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


DATES = words(
    "start_date due_date end_date date_performed date_to_invoice project_template_start_date "
    "workspace_allocation_start_date workspace_allocation_end_date"
)
INTEGERS = words(
    "price status_key budget_estimate_in_cents time_estimate_in_minutes cost_budget_in_cents weight "
    "minutes estimated_minutes time_in_minutes rate_in_cents cost_rate_in_cents cost_in_cents "
    "amount_in_cents bill_rate_in_cents percentage_complete max_level workspace_allocation_percentage"
)
FLAGS = words(
    "budgeted archived billable fixed_fee hard company can_invite team_lead current unique_constraint "
    "locked require_time_approvals require_expense_approvals require_notes_on_time_entries "
    "time_trackable tasks_default_non_billable stories_are_fixed_fee_by_default expenses_in_burn_rate "
    "change_orders_enabled project_template_weekends_as_workdays "
    "project_template_create_unnamed_resources"
)
LISTS = words("custom_fields participations assignments project_template_assignment_mappings")
NESTED = LISTS | words(
    "custom_fields external_reference participations assignments choices value "
    "organization_membership project_template_assignment_mappings"
)
MONEY = {"USD": ("$", 100), "GBP": ("£", 100), "EUR": ("€", 100), "JPY": ("¥", 1), "KWD": ("KD", 1000)}

_DATE = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})")


def as_date(value: Any) -> str:
    """The ISO day; both `2012-01-01` and `2012/01/01` are taken."""
    found = _DATE.fullmatch(str(value).strip()) or _DATE.match(str(value).strip()[:10])
    if not found:
        raise ValueError("is not a valid date")
    try:
        return date(*(int(part) for part in found.groups())).isoformat()
    except ValueError:
        raise ValueError("is not a valid date") from None


def as_integer(value: Any) -> int:
    text = str(value).strip()
    if not re.fullmatch(r"-?[0-9]{1,15}(\.0+)?", text):
        raise ValueError("must be an integer")
    return int(Decimal(text))


def as_flag(value: Any) -> bool:
    return str(value).strip().lower() not in ("false", "0", "f", "no", "off", "")


def as_id(value: Any) -> str | None:
    text = str(value).strip() if value is not None else ""
    if text in ("", "0", "null"):
        return None
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise ValueError("is invalid")
    return str(int(text))


def as_ids(value: Any) -> list[str]:
    parts = value.split(",") if isinstance(value, str) else value if isinstance(value, list) else [value]
    return list(dict.fromkeys(found for found in (as_id(part) for part in parts) if found))


def as_items(value: Any) -> list[dict[str, Any]]:
    if not isinstance(value, list) or not all(isinstance(each, dict) for each in value):
        raise ValueError("is invalid")
    return value


def as_plain(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        raise ValueError("is invalid")  # noqa: TRY004 - one kind of complaint for every converter
    return value


def _converter(name: str) -> Callable[[Any], Any]:
    kinds = ((LISTS, as_items), (NESTED, lambda value: value), (DATES, as_date), (INTEGERS, as_integer))
    for known, convert in kinds:
        if name in known:
            return convert
    if name in FLAGS:
        return as_flag
    if name.endswith("_ids"):
        return as_ids
    return as_id if name.endswith("_id") else as_plain


def _kept(name: str, value: Any) -> Any:
    # Rails forms clear a field with an empty string.
    if value is None or (value == "" and name in DATES | INTEGERS):
        return [] if name.endswith("_ids") else None
    return _converter(name)(value)


def keep(fields: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The values as they are stored, and every fault found among them."""
    accepted: dict[str, Any] = {}
    faults: list[dict[str, Any]] = []
    for name, value in fields.items():
        try:
            accepted[name] = _kept(name, value)
        except ValueError as wrong:
            faults.append(fault(name, str(wrong)))
    return accepted, faults


def instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def read_instant(text: str) -> str:
    """A caller's timestamp in the stored form; a `+` lost to URL decoding is forgiven."""
    try:
        moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
        return instant(moment if moment.tzinfo else moment.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise system(400, f"Invalid timestamp: {text}") from None


def show_instant(stored: str, offset_minutes: int) -> str:
    moment = datetime.fromisoformat(stored) + timedelta(minutes=offset_minutes)
    sign = "-" if offset_minutes < 0 else "+"
    hours, minutes = divmod(abs(offset_minutes), 60)
    return f"{moment:%Y-%m-%dT%H:%M:%S}{sign}{hours:02d}:{minutes:02d}"


def base_unit(currency: str) -> int:
    return MONEY.get(currency, ("", 100))[1]


def symbol(currency: str) -> str:
    return MONEY.get(currency, (currency, 100))[0]


def money(subunits: int | None, currency: str) -> str:
    """The formatted amount of the vendor's screens: "TBD", "$1,500" or "$1,500.50"."""
    if subunits is None:
        return "TBD"
    whole, rest = divmod(abs(subunits), base_unit(currency))
    digits = len(str(base_unit(currency))) - 1
    tail = f".{rest:0{digits}d}" if rest else ""
    return f"{'-' if subunits < 0 else ''}{symbol(currency)}{whole:,}{tail}"
