"""Kantata stand-in: rate limits: a bucket for the whole account and tighter ones for single endpoints."""

import time
from typing import Any

from sandbox.core import Account

# The vendor publishes no numbers; these let an ordinary client through and a runaway one not.
GLOBAL = {"burst": 200, "per_second": 100}
TIGHTER = {"burst": 80, "per_second": 40}
ENDPOINTS = ("POST /workspaces", "GET /workspaces", "POST /custom_field_values", "GET /custom_field_values")


def default_limits() -> dict[str, Any]:
    return {
        "global": dict(GLOBAL),
        "endpoints": {name: dict(TIGHTER) for name in ENDPOINTS},
        "event_lag_seconds": 0,
    }


def merge(held: dict[str, Any], wanted: dict[str, Any]) -> None:
    """New numbers over the old; a null lifts that limit. Raises: ValueError."""
    unknown = set(wanted) - {"global", "endpoints", "event_lag_seconds"}
    if unknown:
        raise ValueError(f"Unknown limits: {', '.join(sorted(unknown))}")
    endpoints = {**held["endpoints"], **wanted.get("endpoints", {})}
    held.update(wanted)
    held["endpoints"] = {name: rule for name, rule in endpoints.items() if rule}


class Buckets:
    """How much is left in each bucket, on the machine's clock: an account's clock may stand still."""

    def __init__(self) -> None:
        self._left: dict[tuple[str, str], tuple[float, float]] = {}

    def forget(self, account: Account) -> None:
        self._left = {key: left for key, left in self._left.items() if key[0] != account.name}

    def admits(self, account: Account, endpoint: str) -> bool:
        """Takes one token from each bucket concerned, if all have one."""
        limits = account.extra.get("limits", {})
        rules = {"global": limits.get("global"), endpoint: limits.get("endpoints", {}).get(endpoint)}
        now = time.monotonic()
        left = {name: self._level(account, name, rule, now) for name, rule in rules.items() if rule}
        if any(level < 1 for level in left.values()):
            return False
        for name, level in left.items():
            self._left[account.name, name] = (level - 1, now)
        return True

    def _level(self, account: Account, name: str, rule: dict[str, Any], now: float) -> float:
        level, then = self._left.get((account.name, name), (float(rule["burst"]), now))
        return min(float(rule["burst"]), level + (now - then) * float(rule["per_second"]))
