"""The Salesforce stand-in's call allowance: calls of the last 24 hours, and how many may run at once."""

from sandbox.salesforce.records.org import Org

DAILY = 15000
WINDOW_HOURS = 24


def allowed(org: Org) -> int:
    return int(org.account.extra.get("limits", {}).get("daily_api_requests", DAILY))


def concurrency(org: Org) -> int | None:
    """Calls at once; no limit unless a test sets it, for the vendor counts only those of 20 seconds."""
    most = org.account.extra.get("limits", {}).get("concurrent_api_requests")
    return None if most is None else int(most)


def used(org: Org) -> int:
    hours: dict[str, int] = org.account.extra.setdefault("usage", {})
    oldest = _hour(org) - WINDOW_HOURS
    for hour in [h for h in hours if int(h) <= oldest]:
        del hours[hour]
    return sum(hours.values())


def spend(org: Org, calls: int = 1) -> None:
    hours: dict[str, int] = org.account.extra.setdefault("usage", {})
    hour = str(_hour(org))
    hours[hour] = hours.get(hour, 0) + calls
    org.account.touch()


def header(org: Org) -> dict[str, str]:
    return {"Sforce-Limit-Info": f"api-usage={used(org)}/{allowed(org)}"}


def _hour(org: Org) -> int:
    return int(org.now().timestamp()) // 3600
