"""bench: the findings as tables, and whether the targets were reached."""

import statistics
from collections.abc import Sequence

import msgspec

from bench.activation import LEAST, PER_SEAT, Calls
from bench.flooding import RATE, Flooding
from bench.hanging import Hanging
from bench.hops import Hops
from bench.launching import Starts
from bench.policies import TIERS, WHOLE, Cost
from bench.scaling import Scaling
from bench.throughput import Rates
from deploy.console import Paper, Sheet, styled


class Target(msgspec.Struct, frozen=True):
    """A target, the measured value, and whether it was reached."""

    what: str
    wanted: str
    measured: str
    reached: bool


class Findings(msgspec.Struct, omit_defaults=True):
    """The results of one run; those that were not requested are absent."""

    generator: str
    rates: dict[str, Rates] = {}
    scaling: Scaling | None = None
    hanging: Hanging | None = None
    flooding: Flooding | None = None
    hops: Hops | None = None
    policies: list[Cost] = []
    calls: list[Calls] = []
    starts: Starts | None = None


_RIVALS = {
    "bare": ("the bare handler", 0.5),
    "envoy": ("Envoy in front of the bare handler", 1.0),
    "fastapi": ("three FastAPI services", 20.0),
    "node": ("a Fastify proxy in front of the bare handler", 1.5),
}
"""The contenders of the deployment on the read, and the wanted ratio of its rate to theirs."""

STILL = 1.1
"""So much may the slowest answers of others move while one vendor hangs."""


UNMOVED = 3.0
"""So much may the slowest waits of a caller move while another address floods the server."""


def targets(findings: Findings) -> list[Target]:
    """The targets that this run measured."""
    reached: list[Target] = []
    rates = findings.rates
    for name, (words, wanted) in _RIVALS.items():
        if {"gateway", name} <= rates.keys():
            reached.append(_at_least(f"the read, of {words}", rates["gateway"].ratio_to(rates[name]), wanted))
    if findings.hanging is not None:
        ratio = findings.hanging.ratio
        what = "the read's p99 beside a vendor that hangs"
        reached.append(Target(what, f"≤ {STILL:g}", f"{ratio:.2f}", ratio <= STILL))
    if findings.flooding is not None:
        reached.append(_flood_target(findings.flooding.ratio))
    if findings.hops is not None:
        reached.append(_at_least("a remote hop, in local hops", findings.hops.times_cheaper, 20))
    if findings.starts is not None:
        slowest = max(findings.starts.fresh, findings.starts.again)
        reached.append(Target("`enfilade up` ready", "≤ 8 s", f"{slowest:.1f} s", slowest <= 8))  # noqa: PLR2004
    return reached


def _flood_target(ratio: float) -> Target:
    what = "a caller's p99 beside a flood of connections"
    return Target(what, f"≤ {UNMOVED:g}", f"{ratio:.2f}", ratio <= UNMOVED)


def _at_least(what: str, measured: float, wanted: float) -> Target:
    return Target(what, f"≥ {wanted:g}", f"{measured:.2f}", measured >= wanted)


def show(console: Paper, findings: Findings) -> None:
    """Everything, as tables."""
    if findings.rates:
        _show_rates(console, findings.rates, findings.generator)
    if findings.scaling is not None:
        _show_scaling(console, findings.scaling)
    if findings.hanging is not None:
        _show_hanging(console, findings.hanging)
    if findings.flooding is not None:
        _show_flooding(console, findings.flooding)
    if findings.hops is not None:
        _show_hops(console, findings.hops)
    if findings.policies:
        _show_policies(console, findings.policies)
    if findings.calls:
        _show_calls(console, findings.calls)
    if findings.starts is not None:
        again, fresh = findings.starts.again, findings.starts.fresh
        console.print(
            f"`enfilade up` is ready after {again:.1f} s, with nothing there yet after {fresh:.1f} s."
        )
    _show_targets(console, targets(findings))


_MEANING = {
    "bare": ("one Litestar handler with a precomputed answer", "bare"),
    "gateway": ("the gateway, all policies on, and three tiers", "bare"),
    "envoy": ("Envoy (jwt_authn, local_ratelimit) in front of bare", "bare"),
    "fastapi": ("three FastAPI services (Authlib, slowapi, httpx)", "bare"),
    "node": ("Fastify (jwt, rate-limit, http-proxy) in front of bare", "bare"),
    "overview bare": ("the account overview's SQL in one Litestar handler", "overview bare"),
    "overview": ("the real account overview: gateway, experience, process, SQL", "overview bare"),
}


def _show_rates(console: Paper, rates: dict[str, Rates], generator: str) -> None:
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
        f"Medians; ratios round by round. Load: {generator}. All processes are counted, stores too.\n"
        "The gateways lease their limits in large batches (bench/gateway.toml); smaller ones cost more."
    )
    console.print(table)


def _show_scaling(console: Paper, scaling: Scaling) -> None:
    table = _table("From one worker to two", "what", "per second", "per processor second", "ratio")
    for rates, ratio in ((scaling.one, 1.0), (scaling.two, scaling.ratio)):
        by_the_clock = f"{statistics.median(rates.by_the_clock):,.0f}"
        table.add_row(rates.name, by_the_clock, f"{rates.median:,.0f}", f"{ratio:.2f}")
    table.caption = (
        f"Medians, by the clock, on {scaling.processors} processors that the load and the stores share."
    )
    console.print(table)


def _show_hanging(console: Paper, hanging: Hanging) -> None:
    table = _table("The read while another instance's vendor hangs", "what", "p99 in ms", "ratio")
    table.add_row("alone", f"{statistics.median(hanging.alone):.2f}", "1.00")
    table.add_row("beside it", f"{statistics.median(hanging.beside):.2f}", f"{hanging.ratio:.2f}")
    table.caption = f"Medians; {hanging.waited} calls of the vendor that hangs were given up meanwhile."
    console.print(table)


def _show_flooding(console: Paper, flooding: Flooding) -> None:
    table = _table("A caller while another address never ends its heads", "what", "p99 in ms", "ratio")
    for what, waits, ratio in (
        ("alone", flooding.alone, 1.0),
        ("beside the flood", flooding.beside, flooding.ratio),
        ("beside it, without bounds", flooding.unbounded, flooding.ratio_unbounded),
    ):
        table.add_row(what, f"{statistics.median(waits):.2f}", f"{ratio:.2f}")
    table.caption = f"Medians; {RATE} connections a second, and the caller opens one for each request."
    console.print(table)


def _show_hops(console: Paper, hops: Hops) -> None:
    table = _table("One call from tier to tier", "carrier", "µs", "of the local hop")
    for name, value in (
        ("plain await", hops.plain),
        ("local hop", hops.local),
        ("remote hop, loopback", hops.remote),
    ):
        table.add_row(name, f"{value:.2f}", f"{value / hops.local:,.2f}")
    table.caption = "Processor time of both ends."
    console.print(table)


def _show_policies(console: Paper, costs: Sequence[Cost]) -> None:
    table = _table(
        "Each policy by itself, in the order of the pipeline", "policy", "µs on a read", "µs on a write"
    )
    for cost in costs:
        table.add_row(cost.policy, f"{cost.read:.2f}", f"{cost.write:.2f}")
    table.caption = (
        "Our own process only: what the stores do meanwhile is not in it. The write has 1 KB of body.\n"
        + _tax({cost.policy: cost.read for cost in costs})
    )
    console.print(table)


def _tax(reads: dict[str, float]) -> str:
    """The share of all policies in the whole read."""
    whole = reads.get(WHOLE, 0.0)
    tax = whole - reads.get(TIERS, 0.0)
    return f"The gateway takes {tax:.0f} µs of the read's {whole:.0f} ({tax / whole:.0%})." if whole else ""


def _show_calls(console: Paper, calls: Sequence[Calls]) -> None:
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


def _show_targets(console: Paper, reached: Sequence[Target]) -> None:
    if not reached:
        return
    table = _table("Targets", "what", "wanted", "found", "")
    for target in reached:
        verdict = styled("reached", "green") if target.reached else styled("not reached", "red")
        table.add_row(target.what, target.wanted, target.measured, verdict)
    console.print(table)


def _table(title: str, *columns: str) -> Sheet:
    table = Sheet(title=title, title_justify="left", caption_justify="left")
    for column in columns:
        words = column in ("what", "carrier", "policy", "vendor", "to", "because", "step: call", "")
        table.add_column(column, justify="left" if words else "right")
    return table
