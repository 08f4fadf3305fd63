"""The Salesforce stand-in's information: versions, resources, describes, limits, counts and deltas."""

from datetime import datetime, timedelta
from typing import Any

from sandbox.salesforce import usage
from sandbox.salesforce.errors import bad_request
from sandbox.salesforce.records.org import Record
from sandbox.salesforce.records.values import read_datetime, show_datetime
from sandbox.salesforce.rest.call import Call, Reply
from sandbox.salesforce.schema.describe import describe_global, describe_object

OLDEST, NEWEST = 31, 67
RESOURCES = ["sobjects", "query", "queryAll", "composite", "limits", "jobs"]
FIXED_LIMITS = {
    "ConcurrentAsyncGetReportInstances": 200, "DailyAsyncApexExecutions": 250000,
    "DailyBulkApiBatches": 15000, "DailyBulkV2QueryFileStorageMB": 976562, "DailyBulkV2QueryJobs": 10000,
    "DailyDeliveredPlatformEvents": 10000, "DailyStandardVolumePlatformEvents": 10000,
    "DailyStreamingApiEvents": 10000, "DataStorageMB": 5, "FileStorageMB": 20,
    "HourlyPublishedPlatformEvents": 50000, "HourlyPublishedStandardVolumePlatformEvents": 1000,
    "MonthlyPlatformEventsUsageEntitlement": 0, "SingleEmail": 15,
}  # fmt: skip
FURTHEST_UPDATED, FURTHEST_DELETED = timedelta(days=30), timedelta(days=15)


def versions() -> list[dict[str, str]]:
    return [
        {"label": label(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
        for number in range(OLDEST, NEWEST + 1)
    ]


def label(number: int) -> str:
    """Three releases a year: Winter '26 was 65."""
    years, season = divmod(number - 65, 3)
    return f"{('Winter', 'Spring', 'Summer')[season]} '{26 + years:02d}"


def resources(call: Call) -> Reply:
    return Reply(200, {name: f"{call.base}/{name}" for name in RESOURCES})


def all_objects(call: Call) -> Reply:
    rows = [describe_global(made, call.base) for made in call.org.objects.values()]
    return Reply(200, {"encoding": "UTF-8", "maxBatchSize": 200, "sobjects": rows})


def one_object(call: Call, name: str) -> Reply:
    made = call.sobject(name)
    recent = [
        {
            "attributes": {"type": made.name, "url": call.location(made, row["Id"])},
            "Id": row["Id"],
            "Name": row.get("Name"),
        }
        for row in call.org.live(made.name)[-5:]
    ]
    return Reply(200, {"objectDescribe": describe_global(made, call.base), "recentItems": recent})


def describe(call: Call, name: str) -> Reply:
    return Reply(200, describe_object(call.sobject(name), call.org.objects, call.base))


def limits(call: Call) -> Reply:
    used, allowed = usage.used(call.org), usage.allowed(call.org)
    body = {"DailyApiRequests": {"Max": allowed, "Remaining": max(0, allowed - used)}}
    return Reply(200, body | {name: {"Max": n, "Remaining": n} for name, n in FIXED_LIMITS.items()})


def record_count(call: Call) -> Reply:
    asked = [n.strip() for n in call.query.get("sObjects", "").split(",") if n.strip()]
    counted = [(made.name, len(call.org.live(made.name))) for made in call.org.objects.values()]
    rows = [{"count": n, "name": name} for name, n in counted if n and (not asked or name in asked)]
    return Reply(200, {"sObjects": rows})


def updated(call: Call, name: str) -> Reply:
    made = call.sobject(name)
    start, end = _window(call, FURTHEST_UPDATED)
    ids = [row["Id"] for row in call.org.live(made.name) if _within(row, "SystemModstamp", start, end)]
    return Reply(200, {"ids": ids, "latestDateCovered": show_datetime(end)})


def deleted(call: Call, name: str) -> Reply:
    made = call.sobject(name)
    start, end = _window(call, FURTHEST_DELETED)
    rows = [
        {"id": row["Id"], "deletedDate": row["SystemModstamp"]}
        for row in call.org.table(made.name).values()
        if row["IsDeleted"] and _within(row, "SystemModstamp", start, end)
    ]
    earliest = show_datetime(call.org.now() - FURTHEST_DELETED)
    body: dict[str, Any] = {"deletedRecords": rows, "earliestDateAvailable": earliest}
    return Reply(200, body | {"latestDateCovered": show_datetime(end)})


def _window(call: Call, furthest: timedelta) -> tuple[datetime, datetime]:
    """Raises: Refused."""
    try:
        start, end = read_datetime(call.query["start"]), read_datetime(call.query["end"])
    except (KeyError, ValueError) as problem:
        raise bad_request("INVALID_REPLICATION_DATE", "start and end are dates with times") from problem
    if start < call.org.now() - furthest:
        raise bad_request("INVALID_REPLICATION_DATE", "startDate before org replication enabled date")
    if end <= start:
        raise bad_request("INVALID_REPLICATION_DATE", "endDate is before startDate")
    return start, min(end, call.org.now())


def _within(row: Record, field: str, start: datetime, end: datetime) -> bool:
    return start <= read_datetime(row[field]) <= end
