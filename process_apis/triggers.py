"""What starts the work of a flow, as data on its module: an event, a schedule, or many events together."""

from dataclasses import dataclass

from kit.inbox.worker import BatchHandler, Handler, InboxWorker, name_of
from kit.workflows import Runtime, Schedule


@dataclass(frozen=True, slots=True)
class On:
    """Each event of a type goes to the handler, in order per key; it starts a run in the transaction."""

    event: str
    handler: Handler

    def attach(self, inbox: InboxWorker, _: Runtime) -> None:
        inbox.subscribe(self.event, self.handler)


@dataclass(frozen=True, slots=True)
class Every:
    """At each tick of a schedule the handler is called, once over all processes; it starts a run.

    `schedule` is a cron expression, by UTC where no `zone` is named. The handler gets an event whose `id` is
    that of the tick and whose `occurred_at` is when it was due. Ticks that were due while no worker ran are
    made up for, unless `catch_up` is False.
    """

    schedule: str
    handler: Handler
    zone: str = "UTC"
    catch_up: bool = True

    def attach(self, inbox: InboxWorker, runtime: Runtime) -> None:
        schedule = Schedule(name_of(self.handler), self.schedule, self.zone, self.catch_up)
        runtime.every(schedule)
        inbox.subscribe(schedule.event_type, self.handler)


@dataclass(frozen=True, slots=True)
class Batch:
    """Events of a type go to the handler together: `most` of them, or those of `wait` seconds."""

    event: str
    most: int
    wait: float
    handler: BatchHandler

    def attach(self, inbox: InboxWorker, _: Runtime) -> None:
        inbox.subscribe_batch(self.event, self.handler, most=self.most, wait=self.wait)


Trigger = On | Every | Batch
