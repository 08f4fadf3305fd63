"""kit/workflows: schedules: the engine fires each tick once over all processes, the inbox hands it out."""

import asyncio
import datetime as dt
import logging
from zoneinfo import ZoneInfo

import msgspec
from croniter import croniter
from dbos import DBOSClient
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from kit import clock
from kit.context import new_correlation_id
from kit.database import Database
from kit.inbox import receive

logger = logging.getLogger(__name__)

SOURCE = "/enfilade/schedules"
WORKFLOW = "schedule-tick"
_KNOWN = text(
    "SELECT schedule_name, schedule, cron_timezone, automatic_backfill, last_fired_at"
    " FROM dbos.workflow_schedules WHERE application_name = :application ORDER BY schedule_name"
)


class Schedule(msgspec.Struct, frozen=True):
    """When something is due: a cron expression (a sixth field, in front, is of seconds) in a time zone.

    `name` is the same in all processes and releases. What was due while no process ran is made up for at the
    next start where `catch_up` says so. Raises ValueError for a wrong expression or zone.
    """

    name: str
    cron: str
    zone: str = "UTC"
    catch_up: bool = True

    def __post_init__(self) -> None:
        if not croniter.is_valid(self.cron, second_at_beginning=True):
            raise ValueError(f"{self.name}: {self.cron!r} is no cron expression")
        ZoneInfo(self.zone)

    @property
    def event_type(self) -> str:
        """The type of the event that a tick is in the inbox."""
        return f"schedule.due:{self.name}"

    def next_due(self) -> dt.datetime:
        """The next tick, by the deployment's clock."""
        now = clock.now().astimezone(ZoneInfo(self.zone))
        return croniter(self.cron, now, second_at_beginning=True).get_next(dt.datetime).astimezone(dt.UTC)


async def take_in(database: Database, name: str, due: str) -> None:
    """Write a tick into the inbox, once: its key is its own, so that one that fails holds back no other."""
    await receive(
        database,
        source=SOURCE,
        id=f"{name}@{due}",
        type=f"schedule.due:{name}",
        key=f"{name}@{due}",
        data={"due": due},
        occurred_at=dt.datetime.fromisoformat(due),
        correlation_id=new_correlation_id(),
    )


async def known_schedules(
    connection: AsyncConnection, application: str
) -> list[tuple[Schedule, dt.datetime | None]]:
    """The application's schedules, by name, each with its last tick."""
    rows = await connection.execute(_KNOWN, {"application": application})
    return [
        (
            Schedule(row.schedule_name, row.schedule, row.cron_timezone or "UTC", row.automatic_backfill),
            dt.datetime.fromisoformat(row.last_fired_at) if row.last_fired_at else None,
        )
        for row in rows
    ]


def apply_schedules(client: DBOSClient, queue: str, schedules: list[Schedule]) -> None:
    """Have the engine know exactly these schedules of the application; blocks."""
    wanted = {schedule.name for schedule in schedules}
    for known in client.list_schedules():
        if known["schedule_name"] not in wanted:
            client.delete_schedule(known["schedule_name"])
    client.apply_schedules(
        [
            {
                "schedule_name": schedule.name,
                "workflow_name": WORKFLOW,
                "schedule": schedule.cron,
                "context": schedule.name,
                "cron_timezone": schedule.zone,
                "automatic_backfill": schedule.catch_up,
                "queue_name": queue,
            }
            for schedule in schedules
        ]
    )


async def fill_gaps(
    client: DBOSClient, schedules: list[Schedule], since: dt.datetime, seconds: float
) -> None:
    """Until cancelled, look every while whether a tick was missed since the launch, and fire it.

    The engine makes up for what was due before it started, and then counts from when its own thread began:
    what was due between is nobody's. A tick has one id, so that one that was fired is not fired again.
    """
    while schedules:
        await asyncio.sleep(seconds)
        now = dt.datetime.now(dt.UTC)
        try:
            for schedule in schedules:
                await asyncio.to_thread(client.backfill_schedule, schedule.name, since, now)
        except Exception as error:  # noqa: BLE001 - whatever it is, the next look covers the same time
            logger.warning("Missed ticks are looked for later: %s", type(error).__name__)
        else:
            since = now
