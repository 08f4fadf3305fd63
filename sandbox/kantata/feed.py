"""Kantata stand-in: the subscribed-events feed, its only news: late, disordered, sometimes twice."""

from datetime import datetime, timedelta
from typing import Any

from sandbox.core import Account
from sandbox.kantata.catalogue import COLLECTIONS
from sandbox.kantata.problems import system
from sandbox.kantata.reader import Reader
from sandbox.kantata.store import SEED_STRIDE, Record
from sandbox.kantata.values import instant

RETENTION = timedelta(days=9)
# Types of subjects that the stand-in does not keep, so that the list of types is as long as a client expects.
FOREIGN_EVENTS = tuple(
    f"{subject}:{verb}"
    for subject in (
        "expense",
        "invoice",
        "timesheet",
        "expense_report",
        "rate",
        "cost_rate",
        "daily_scheduled_hours",
    )
    for verb in ("created", "updated", "deleted")
)


def event_types() -> list[str]:
    own = [
        f"{each.event}:{verb}"
        for each in COLLECTIONS.values()
        if each.event
        for verb in ("created", "updated", "deleted")
    ]
    values = [
        f"{COLLECTIONS[key].event}:custom_field_value_{verb}"
        for key in ("workspaces", "stories", "users", "workspace_groups")
        for verb in ("created", "updated")
    ]
    return sorted([*own, *values, *FOREIGN_EVENTS, "story:status_selected", "line_item_lock:created"])


def lag(account: Account) -> timedelta:
    return timedelta(seconds=float(account.extra.get("limits", {}).get("event_lag_seconds", 0)))


def publish(account: Account, events: list[Record]) -> None:
    """Send them on their way, each with the moment it is due: a late event keeps its early creation time."""
    for event in events:
        due = instant(account.clock.now() + lag(account))
        account.notifications.publish({**event, "_due": due, "_mode": account.notifications.mode})


def deliver(account: Account, event: dict[str, Any]) -> None:
    """Put one event into the feed; a second delivery of the same is a second event."""
    fresh = instant(account.clock.now() + lag(account))
    again = event.get("_delivered") or event.get("_mode") == "reorder"
    appears = fresh if again else event["_due"]
    event["_delivered"] = True
    first = COLLECTIONS["subscribed_events"].first_id + (account.seed - 1) * SEED_STRIDE
    event_id = str(first + account.next_number("subscribed_events"))
    known = {name: value for name, value in event.items() if not name.startswith("_")}
    moments = {"created_at": appears, "updated_at": appears, "_visible_at": appears}
    rows = account.tables.setdefault("subscribed_events", {})
    rows[event_id] = {"id": event_id, **known, **moments}
    _forget_old(rows, account.clock.now())
    account.touch()


def _forget_old(rows: dict[str, Record], now: datetime) -> None:
    oldest = instant(now - RETENTION)
    while rows:
        event_id = next(iter(rows))
        if rows[event_id]["created_at"] >= oldest:
            return
        del rows[event_id]


def readable(reader: Reader, rows: list[Record], query: Any) -> list[Record]:
    """What of the chosen events is young enough, thinned to the latest where asked. Raises: RefusalError."""
    wanted = {"most_recent", "most_recent_by_event_type"} & set(query)
    if len(wanted) > 1:
        raise system(400, "most_recent and most_recent_by_event_type cannot be combined.")
    oldest = instant(reader.account.clock.now() - RETENTION)
    rows = [row for row in rows if row["created_at"] >= oldest]
    if not wanted:
        return rows
    latest: dict[tuple[Any, ...], Record] = {}
    for row in sorted(rows, key=lambda each: (each["subject_changed_at"], int(each["id"]))):
        kind = row["event_type"] if "most_recent_by_event_type" in wanted else ""
        latest[row["subject_type"], row["subject_id"], kind] = row
    newest = {row["id"] for row in latest.values()}
    return [row for row in rows if row["id"] in newest]
