"""bench: the findings as tables, and whether the targets were reached."""

from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table

from bench.activation import LEAST, PER_SEAT, Calls
from bench.hops import Hops
from bench.launching import Starts
from bench.policies import Cost
from bench.throughput import Rates


class Target(msgspec.Struct, frozen=True):
    """Something to reach, what was found, and whether that is it."""

    what: str
    wanted: str
    found: str
    reached: bool


class Findings(msgspec.Struct, omit_defaults=True):
    """All that one run has found; what was not asked for is absent."""

    generator: str
    rates: dict[str, Rates] = {}
    hops: Hops | None = None
    policies: list[Cost] = []
    calls: list[Calls] = []
    starts: Starts | None = None


def targets(found: Findings) -> list[Target]:
    """The targets that this run can tell of."""
    told: list[Target] = []
    rates = found.rates
    if "house" in rates:
        told.append(_at_least("the read, of the bare handler", rates["house"].ratio_to(rates["bare"]), 0.5))
    if "envoy" in rates:
        ratio = rates["house"].ratio_to(rates["envoy"])
        told.append(_at_least("the read, of Envoy in front of the bare handler", ratio, 1.0))
    if found.hops is not None:
        told.append(_at_least("a remote hop, in local hops", found.hops.times_cheaper, 20))
    if found.starts is not None:
        slowest = max(found.starts.fresh, found.starts.again)
        told.append(Target("`enfilade up` ready", "≤ 8 s", f"{slowest:.1f} s", slowest <= 8))  # noqa: PLR2004
    return told


def _at_least(what: str, found: float, wanted: float) -> Target:
    return Target(what, f"≥ {wanted:g}", f"{found:.2f}", found >= wanted)


def show(console: Console, found: Findings) -> None:
    """Everything, as tables."""
    if found.rates:
        _show_rates(console, found.rates, found.generator)
    if found.hops is not None:
        _show_hops(console, found.hops)
    if found.policies:
        _show_policies(console, found.policies)
    if found.calls:
        _show_calls(console, found.calls)
    if found.starts is not None:
        again, fresh = found.starts.again, found.starts.fresh
        console.print(
            f"`enfilade up` is ready after {again:.1f} s, with nothing there yet after {fresh:.1f} s."
        )
    _show_targets(console, targets(found))


_MEANING = {
    "bare": ("one Litestar handler with the answer ready made", "bare"),
    "house": ("the gateway, all policies on, and three tiers", "bare"),
    "envoy": ("Envoy (jwt_authn, local_ratelimit) in front of bare", "bare"),
    "overview bare": ("the account overview's SQL in one Litestar handler", "overview bare"),
    "overview": ("the real account overview: gateway, experience, process, SQL", "overview bare"),
}


def _show_rates(console: Console, rates: dict[str, Rates], generator: str) -> None:
    table = _table(
        "Requests per processor second of the servers", "what", "per second", "µs each", "ratio", "spread"
    )
    for name, rate in rates.items():
        meaning, base = _MEANING[name]
        ratio = rate.ratio_to(rates[base])
        spread = (max(rate.rounds) - min(rate.rounds)) / rate.median
        table.add_row(
            meaning, f"{rate.median:,.0f}", f"{rate.microseconds:.0f}", f"{ratio:.2f}", f"{spread:.0%}"
        )
    table.caption = (
        f"Medians; ratios round by round. Load: {generator}. Stores and Envoy are counted.\n"
        "The gateways lease their limits in large batches (bench/gateway.toml); smaller ones cost more."
    )
    console.print(table)


def _show_hops(console: Console, hops: Hops) -> None:
    table = _table("One call from floor to floor", "carrier", "µs", "of the local hop")
    for name, value in (
        ("plain await", hops.plain),
        ("local hop", hops.local),
        ("remote hop, loopback", hops.remote),
    ):
        table.add_row(name, f"{value:.2f}", f"{value / hops.local:,.2f}")
    table.caption = "Processor time of both ends."
    console.print(table)


def _show_policies(console: Console, costs: Sequence[Cost]) -> None:
    table = _table(
        "Each policy by itself, in the order of the pipeline", "policy", "µs on a read", "µs on a write"
    )
    for cost in costs:
        table.add_row(cost.policy, f"{cost.read:.2f}", f"{cost.write:.2f}")
    table.caption = (
        "Our own process only: what the stores do meanwhile is not in it. The write has 1 KB of body."
    )
    console.print(table)


def _show_calls(console: Console, calls: Sequence[Calls]) -> None:
    table = _table("Vendor calls of one activation", "vendor", "made", "least", "ratio")
    for each in calls:
        table.add_row(each.vendor, str(each.made), str(each.least), f"{each.ratio:.2f}")
    made, least = sum(each.made for each in calls), sum(each.least for each in calls)
    table.add_row("all", str(made), str(least), f"{made / least:.2f}")
    unrecorded = sum(each.unrecorded for each in calls)
    table.caption = (
        f"Counted in the vendors' logs; {unrecorded} of our own records are not in them. No logins."
    )
    console.print(table)
    reasons = _table("The least, and why", "vendor", "calls", "to", "because")
    for vendor, ones in LEAST.items():
        for one in ones:
            reasons.add_row(vendor, str(one.calls), one.purpose, one.why)
    reasons.add_row("kantata", "each", PER_SEAT.purpose, PER_SEAT.why)
    console.print(reasons)
    steps = _table("What was called", "vendor", "step: call", "times")
    for each in calls:
        for what, times in each.by.items():
            steps.add_row(each.vendor, what, str(times))
    console.print(steps)


def _show_targets(console: Console, told: Sequence[Target]) -> None:
    if not told:
        return
    table = _table("Targets", "what", "wanted", "found", "")
    for target in told:
        verdict = "[green]reached[/]" if target.reached else "[red]not reached[/]"
        table.add_row(target.what, target.wanted, target.found, verdict)
    console.print(table)


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left")
    for column in columns:
        words = column in ("what", "carrier", "policy", "vendor", "to", "because", "step: call", "")
        table.add_column(column, justify="left" if words else "right")
    return table
