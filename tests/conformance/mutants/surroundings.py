"""tests/conformance: what may be wrong beside the operations: reported changes, pushes and the check."""

import asyncio
import datetime as dt
import itertools
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec

from contracts.events.kinds import RECORD_UNREADABLE, RecordChanged
from contracts.problems import ContractViolation, InvalidToken
from contracts.system.instance import InstanceReport
from system_apis.connector import (
    CursorStore,
    Delivery,
    Receive,
    WebhookReceiver,
    WebhookRequest,
    WebhookResult,
)
from tests.conformance.mutants import Mutant

Report = tuple[str, str, str, RecordChanged, dt.datetime]
_NUMBERS = itertools.count(1)
_HOUR = dt.timedelta(hours=1)


def _changed(report: Report, **fields: Any) -> Report:
    return (*report[:3], msgspec.structs.replace(report[3], **fields), report[4])


def _of(only: str, report: Report, **fields: Any) -> Report:
    """The report with other fields where it is of that kind."""
    return _changed(report, **fields) if report[3].kind == only else report


def _won_as_changed(report: Report) -> Report:
    return (report[0], report[1].replace(".won.", ".changed."), *report[2:])


def _odd_once_more(report: Report) -> Report:
    return (f"{report[0]}-{next(_NUMBERS)}", *report[1:]) if report[1] == RECORD_UNREADABLE else report


def _stops_at_odd(report: Report) -> Report:
    if report[1] == RECORD_UNREADABLE:
        raise ContractViolation("a page is off its schema")
    return report


REPORTS: dict[str, Callable[[Report], Report | None]] = {
    "reports nothing": lambda _: None,
    "reports no deletion": lambda report: None if report[3].kind == "deleted" else report,
    "reports no merger": lambda report: None if report[3].kind == "merged" else report,
    "reports no restoration": lambda report: None if report[3].kind == "restored" else report,
    "no odd record": lambda report: None if report[1] == RECORD_UNREADABLE else report,
    "an odd record each time": _odd_once_more,
    "an odd record stops all": _stops_at_odd,
    "an odd record is a change": lambda report: (
        report[0],
        report[1].replace(RECORD_UNREADABLE, f"enfilade.{report[3].object}.changed.v1"),
        *report[2:],
    ),
    "another id each time": lambda report: (f"{report[0]}-{next(_NUMBERS)}", *report[1:]),
    "one id for all": lambda report: ("one", *report[1:]),
    "another record": lambda report: _changed(report, id=f"{report[3].id}0"),
    "another instance": lambda report: _changed(report, instance="another"),
    "another noun": lambda report: _changed(report, object="lead"),
    "one key for all": lambda report: (*report[:2], "all", *report[3:]),
    "another time": lambda report: (*_changed(report, changed_at=report[4] + _HOUR)[:4], report[4] + _HOUR),
    "all is ours": lambda report: _changed(report, by_us=True),
    "nothing is ours": lambda report: _changed(report, by_us=False),
    "a win is a change": _won_as_changed,
    "all is won": lambda report: (report[0], "enfilade.opportunity.won.v1", *report[2:]),
    "deleted is changed": lambda report: _changed(report, kind="changed"),
    "deleted is merged": lambda report: _of("deleted", report, kind="merged", merged_into="1"),
    "deleted by another": lambda report: _of("deleted", report, by_us=not report[3].by_us),
    "merged is changed": lambda report: _of("merged", report, kind="changed", merged_into=""),
    "merged is deleted": lambda report: _of("merged", report, kind="deleted", merged_into=""),
    "merged into itself": lambda report: _of("merged", report, merged_into=report[3].id),
    "merged the other way": lambda report: _of(
        "merged", report, id=report[3].merged_into, merged_into=report[3].id
    ),
    "restored is changed": lambda report: _of("restored", report, kind="changed"),
    "restored is deleted": lambda report: _of("restored", report, kind="deleted"),
}


class BrokenSource:
    """A source of changes whose reports are broken, or which forgets where it was."""

    def __init__(self, source: Any, mutant: Mutant) -> None:
        self._source, self._mutant = source, mutant
        self.name = source.name

    async def begin(self, cursor: CursorStore) -> None:
        if self._mutant.breaks != "begins late":
            await self._source.begin(cursor)

    async def run(self, receive: Receive, cursor: CursorStore, stop: asyncio.Event) -> None:
        change = REPORTS.get(self._mutant.breaks)

        async def broken(*report: Any) -> bool:
            found = change(report) if change else report  # pyright: ignore[reportArgumentType]
            return found is None or await receive(*found)

        store = Forgetful() if self._mutant.breaks == "forgets its place" else cursor
        await self._source.run(broken, store, stop)


class Forgetful:
    """Holds positions for as long as one process lives."""

    def __init__(self) -> None:
        self._positions: dict[str, str] = {}

    async def get(self, name: str) -> str | None:
        return self._positions.get(name)

    async def set(self, name: str, value: str) -> None:
        self._positions[name] = value


SOURCES = {*REPORTS, "begins late", "forgets its place"}


class BrokenWebhook(WebhookReceiver):
    """A receiver that believes too much, or tells another change than was pushed."""

    def __init__(self, webhook: Any, mutant: Mutant) -> None:
        self._webhook, self._mutant = webhook, mutant

    async def receive(self, request: WebhookRequest) -> WebhookResult:
        try:
            result = await self._webhook.receive(request)
        except InvalidToken as problem:
            if self._believes(request.headers, problem):
                return WebhookResult()
            raise
        change = PUSHES.get(self._mutant.breaks, _same)
        return msgspec.structs.replace(
            result, deliveries=tuple(each for one in result.deliveries for each in change(one))
        )

    def _believes(self, headers: Mapping[str, str], problem: InvalidToken) -> bool:
        match self._mutant.breaks:
            case "believes all":
                return True
            case "believes the unsigned":
                return not headers
            case "believes the stale":
                return "old" in problem.detail
            case "believes another's":
                return bool(headers) and "signed" in problem.detail
            case _:
                return False


def _same(one: Delivery) -> tuple[Delivery, ...]:
    return (one,)


def _other(one: Delivery, **fields: Any) -> tuple[Delivery, ...]:
    return (msgspec.structs.replace(one, change=msgspec.structs.replace(one.change, **fields)),)


PUSHES: dict[str, Callable[[Delivery], tuple[Delivery, ...]]] = {
    "a push is lost": lambda _: (),
    "a push comes twice": lambda one: (one, one),
    "a replay is new": lambda one: (
        msgspec.structs.replace(one, dedupe_id=f"{one.dedupe_id}-{next(_NUMBERS)}"),
    ),
    "a push of another record": lambda one: _other(one, id="1"),
    "a push of another instance": lambda one: _other(one, instance="another"),
    "a push is ours": lambda one: _other(one, by_us=True),
    "one key for all pushes": lambda one: (msgspec.structs.replace(one, key="all"),),
    "believes all": _same,
    "believes the unsigned": _same,
    "believes the stale": _same,
    "believes another's": _same,
}


async def broken_check(check: Callable[[], Awaitable[InstanceReport]], mutant: Mutant) -> InstanceReport:
    """A report that hides findings of a kind (``*``: of all), or what to do about them."""
    report = await check()
    findings = [
        _hidden(finding, mutant.breaks) if mutant.on in ("*", finding.kind) else finding
        for finding in report.findings
    ]
    shown = [finding for finding in findings if finding is not None]
    return msgspec.structs.replace(report, findings=tuple(shown))


def _hidden(finding: Any, breaks: str) -> Any:
    match breaks:
        case "all is well":
            return msgspec.structs.replace(finding, ok=True)
        case "all is wrong":
            return msgspec.structs.replace(finding, ok=False)
        case "faults are left out":
            return finding if finding.ok else None
        case "nothing to do":
            return msgspec.structs.replace(finding, fix="")
        case "nothing to see":
            return msgspec.structs.replace(finding, detail="")
        case _:
            return msgspec.structs.replace(finding, name="finding")


CHECKS = {"all is well", "all is wrong", "faults are left out", "nothing to do", "nothing to see", "no names"}
