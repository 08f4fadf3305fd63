"""Kantata stand-in: one stored record as the wire shows it to one user."""

from collections.abc import Callable
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.kantata.calendar_days import working_minutes
from sandbox.kantata.reader import Reader
from sandbox.kantata.store import Record
from sandbox.kantata.values import base_unit, money, show_instant, symbol, words

MOMENTS = ("created_at", "updated_at", "deleted_at", "last_synced_at")
PRIVATE_STORY = words(
    "budget_estimate_in_cents time_estimate_in_minutes cost_budget_in_cents budget_used_in_cents "
    "logged_billable_time_in_minutes logged_nonbillable_time_in_minutes"
)


def render(reader: Reader, key: str, row: Record, optional: frozenset[str]) -> Record:
    """The record without the stand-in's own marks, with computed fields, in the account's time zone."""
    shown = {name: value for name, value in row.items() if not name.startswith("_")}
    add = _ADD.get(key)
    if add:
        shown = add(reader, row, shown, optional)
    if key != "subscribed_events":
        for name in MOMENTS:
            if shown.get(name):
                shown[name] = show_instant(shown[name], reader.utc_offset_minutes)
    return shown


def _time_of(reader: Reader, key: str, record_id: str) -> list[Record]:
    return reader.group("time_entries", key).get(record_id, [])


def _value(entries: list[Record]) -> int:
    """What the billable time is worth, in subunits, rounded half up."""
    total = sum(
        (Decimal(e["time_in_minutes"]) * (e["rate_in_cents"] or 0) / 60 for e in entries if e["billable"]),
        Decimal(),
    )
    return int(total.quantize(Decimal(1), ROUND_HALF_UP))


def _minutes(entries: list[Record], *, billable: bool) -> int:
    return sum(entry["time_in_minutes"] for entry in entries if entry["billable"] == billable)


def _workspace(reader: Reader, row: Record, shown: Record, optional: frozenset[str]) -> Record:
    currency, price = shown.pop("currency"), shown.pop("price_in_cents")
    for name in ("workspace_group_ids", "approver_ids"):
        shown.pop(name, None)
    key = shown.pop("status_key")
    unknown = {"key": key, "message": "", "color": "grey"}
    status = next((each for each in reader.account.extra["statuses"] if each["key"] == key), unknown)
    entries = _time_of(reader, "workspace_id", row["id"])
    access = reader.sees_money(row["id"])
    shown |= {
        "account_id": reader.account.extra["account_id"],
        "status": dict(status),
        "effective_due_date": row["due_date"] or "",
        "currency_symbol": symbol(currency),
        "currency_base_unit": base_unit(currency),
        "percentage_complete": _progress(reader, row["id"]),
        "has_budget_access": access,
        "can_create_line_items": True,
        "can_invite": reader.is_admin,
    }
    if access:
        shown |= {"currency": currency, "default_rate": "0.00", **_budget(price, _value(entries), currency)}
    if "minutes_logged" in optional:
        shown["minutes_logged"] = sum(entry["time_in_minutes"] for entry in entries)
    if "billable_minutes" in optional:
        shown["billable_minutes"] = _minutes(entries, billable=True)
    if "total_invoiced" in optional and access:
        shown["total_invoiced"] = money(0, currency)
    if "lock_date" in optional:
        shown["lock_date"] = None
    return shown


def _budget(price: int | None, used: int, currency: str) -> Record:
    percent = None if not price else (Decimal(used) * 100 / price).quantize(Decimal("0.1"), ROUND_HALF_UP)
    return {
        "price": money(price, currency),
        "price_in_cents": price,
        "budget_used": money(used, currency),
        "budget_used_in_cents": used,
        "budget_remaining": None if price is None else money(price - used, currency),
        "percent_of_budget_used": percent,
        "over_budget": price is not None and used > price,
    }


def _progress(reader: Reader, workspace_id: str) -> int:
    live = [
        row for row in reader.group("stories", "workspace_id").get(workspace_id, []) if not row["deleted_at"]
    ]
    done = sum(1 for row in live if row["state"] in ("completed", "resolved", "fixed"))
    return done * 100 // len(live) if live else 0


def _story(reader: Reader, row: Record, shown: Record, _optional: frozenset[str]) -> Record:
    shown.pop("tags")
    shown.pop("ancestor_ids")
    children = [
        each for each in reader.group("stories", "parent_id").get(row["id"], []) if not each["deleted_at"]
    ]
    entries = _time_of(reader, "story_id", row["id"])
    shown |= {
        "sub_story_count": len(children),
        "tag_ids": [],
        "budget_used_in_cents": _value(entries),
        "logged_billable_time_in_minutes": _minutes(entries, billable=True),
        "logged_nonbillable_time_in_minutes": _minutes(entries, billable=False),
    }
    workspace = reader.rows("workspaces")[row["workspace_id"]]
    if not workspace["budgeted"] or not reader.sees_money(workspace["id"]):
        shown = {name: value for name, value in shown.items() if name not in PRIVATE_STORY}
    return shown


def _resource(reader: Reader, row: Record, shown: Record, optional: frozenset[str]) -> Record:
    user = reader.rows("users").get(row["user_id"] or "")
    role = reader.rows("roles").get(row["role_id"] or "")
    bookings = reader.group("workspace_allocations", "workspace_resource_id").get(row["id"], [])
    bill, cost = shown.pop("bill_rate"), shown.pop("cost_rate")
    name = user["full_name"] if user else f"Unnamed {role['name']}" if role else "Unnamed Resource"
    shown |= {
        "full_name": name,
        "display_label": row["label"] or name,
        "role_name": role["name"] if role else None,
        "workspace_title": reader.rows("workspaces")[row["workspace_id"]]["title"],
        "total_allocated_minutes": sum(booking["minutes"] for booking in bookings),
        "allocations_count": len(bookings),
        "earliest_allocation_date": min((booking["start_date"] for booking in bookings), default=None),
        "latest_allocation_date": max((booking["end_date"] for booking in bookings), default=None),
    }
    if reader.sees_money(row["workspace_id"]):
        shown |= {
            n: v for n, v in (("resource_bill_rate", bill), ("resource_cost_rate", cost)) if n in optional
        }
    return shown


def _allocation(_reader: Reader, row: Record, shown: Record, _optional: frozenset[str]) -> Record:
    available = working_minutes(row["start_date"], row["end_date"])
    percentage = Decimal(row["minutes"] * 100) / available if available else Decimal()
    return shown | {"percentage": percentage.quantize(Decimal("0.01"), ROUND_HALF_UP)}


def _participation(reader: Reader, row: Record, shown: Record, _optional: frozenset[str]) -> Record:
    if not reader.sees_money(row["workspace_id"]):
        shown.pop("rate_in_cents")
        shown.pop("cost_in_cents")
    return shown


def _membership(reader: Reader, _row: Record, shown: Record, _optional: frozenset[str]) -> Record:
    if not reader.is_admin:
        shown.pop("bill_rate_in_cents")
        shown.pop("cost_rate_in_cents")
    return shown


def _user(reader: Reader, _row: Record, shown: Record, _optional: frozenset[str]) -> Record:
    return shown | {"account_id": reader.account.extra["account_id"]}


def _template(_reader: Reader, row: Record, shown: Record, optional: frozenset[str]) -> Record:
    tasks = row["_tasks"]
    ends = [task["offset_days"] + task["duration_days"] for task in tasks]
    shown |= {"item_count": len(tasks), "duration": max(ends, default=0)}
    return shown | ({"raw_json": {"tasks": tasks}} if "raw_json" in optional else {})


def _field(reader: Reader, row: Record, shown: Record, _optional: frozenset[str]) -> Record:
    values = len(reader.group("custom_field_values", "custom_field_id").get(row["id"], []))
    return shown | {"values_count": values, "has_values": values > 0}


def _field_value(reader: Reader, row: Record, shown: Record, _optional: frozenset[str]) -> Record:
    return shown | {
        "display_value": _display(reader, row),
        "can_edit": True,
        "account_id": reader.account.extra["account_id"],
    }


def _display(reader: Reader, row: Record) -> str:
    value: Any = row["value"]
    if row["type"] in ("single", "multi"):
        choices = reader.rows("custom_field_choices")
        return ", ".join(choices[str(each)]["label"] for each in value if str(each) in choices)
    return money(value[0], value[1]) if row["type"] == "currency" else str(value)


def _time(reader: Reader, row: Record, shown: Record, optional: frozenset[str]) -> Record:
    shown |= {"currency_symbol": symbol(row["currency"]), "currency_base_unit": base_unit(row["currency"])}
    if not reader.sees_money(row["workspace_id"]):
        shown.pop("rate_in_cents")
        shown.pop("cost_rate_in_cents")
    if "user_can_edit" in optional:
        shown["user_can_edit"] = reader.is_admin or row["user_id"] == reader.user_id
    return shown


def _milestone(_reader: Reader, row: Record, shown: Record, _optional: frozenset[str]) -> Record:
    return shown | {
        "currency_symbol": symbol(row["currency"]),
        "currency_base_unit": base_unit(row["currency"]),
    }


def _event(reader: Reader, _row: Record, shown: Record, optional: frozenset[str]) -> Record:
    previous, current, changes = (
        shown.pop(n) for n in ("previous_payload", "current_payload", "payload_changes")
    )
    offered = {
        "previous_payload": previous,
        "current_payload": current,
        "payload_changes": changes,
        "change_summary": ", ".join(changes),
        "change_details": changes,
    }
    shown |= {name: value for name, value in offered.items() if name in optional}
    return shown | {"account_id": reader.account.extra["account_id"]}


_ADD: dict[str, Callable[[Reader, Record, Record, frozenset[str]], Record]] = {
    "workspaces": _workspace,
    "stories": _story,
    "workspace_resources": _resource,
    "workspace_allocations": _allocation,
    "participations": _participation,
    "account_memberships": _membership,
    "users": _user,
    "project_tracker_templates": _template,
    "custom_fields": _field,
    "custom_field_values": _field_value,
    "time_entries": _time,
    "billing_milestones": _milestone,
    "subscribed_events": _event,
}
