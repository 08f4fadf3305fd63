"""The admin API of consumers: reads declared ones, registers others, and suspends any."""

from collections.abc import Callable, Mapping

import msgspec
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from contracts.admin.consumers import (
    KnownConsumer,
    KnownConsumers,
    Registration,
    Suspension,
    UsageOfApi,
    UsageOfApis,
)
from contracts.problems import Conflict, Fault, Invalid, NotFound
from gateway.admin.writing import writing
from gateway.inventory import ApiInventory
from gateway.names import known_names, roles_that_bind, unknown_grants
from gateway.plans import Consumer
from gateway.plans.consumer_directory import ConsumerDirectory
from gateway.plans.usage import Usage, active_consumers, used
from gateway.policy_runtime import PolicyRuntime
from gateway.tables import registered_consumers, suspensions
from kit import privacy
from kit.database import Database

_POINTER = str.maketrans({".": "/", "[": "/", "]": ""})


class ConsumersService:
    """Writes to the consumer directory's tables, and answers what it reads back from them."""

    def __init__(
        self,
        runtime: PolicyRuntime,
        directory: ConsumerDirectory,
        inventory: ApiInventory,
        usage: Usage,
        store: Callable[[], Database],
    ) -> None:
        self._runtime = runtime
        self._directory = directory
        self._inventory = inventory
        self._usage = usage
        self._store = store

    async def list_consumers(self) -> KnownConsumers:
        """Every consumer, by name."""
        await self._directory.refresh()
        return KnownConsumers(tuple(self._known(name) for name in sorted(self._consumers())))

    async def get_consumer(self, name: str) -> KnownConsumer:
        """The consumer; raises NotFound."""
        await self._directory.refresh()
        if name not in self._consumers():
            raise NotFound(f"No consumer is named {name}")
        return self._known(name)

    async def register_consumer(self, body: Registration) -> KnownConsumer:
        """The consumer as registered.

        Raises Conflict for a name in use, Invalid for conflicting duties or unknown names.
        """
        if body.name in self._runtime.bundle.consumers:
            raise Conflict(f"{body.name} is declared in consumers.toml")
        grants = Consumer(
            title=body.title,
            scopes=body.scopes,
            outside=body.outside,
            roles=body.roles,
            claims=body.claims,
            subscriptions={},
        )
        if faults := self._unknown_grants(grants):
            raise Invalid("The registration names something that does not exist", errors=faults)
        if refusals := self._runtime.refusals(body.name, grants):
            raise Invalid(errors=[Fault("", reason, "segregation_of_duties") for reason in refusals])
        async with writing(self._store(), "consumer.register", body.name) as connection:
            row = {
                "name": body.name,
                "grants": msgspec.to_builtins(grants),
                "registered_by": await privacy.actor(connection),
            }
            added = await connection.execute(
                insert(registered_consumers)
                .values(**row)
                .on_conflict_do_nothing()
                .returning(registered_consumers.c.name)
            )
            if added.one_or_none() is None:
                raise Conflict(f"A consumer named {body.name} is registered already")
        return await self.get_consumer(body.name)

    async def suspend_consumer(self, name: str, body: Suspension) -> KnownConsumer:
        """The consumer as suspended; raises NotFound."""
        await self.get_consumer(name)
        async with writing(self._store(), "consumer.suspend", name, body.reason) as connection:
            suspension = {"reason": body.reason, "suspended_by": await privacy.actor(connection)}
            statement = insert(suspensions).values(consumer=name, **suspension)
            await connection.execute(
                statement.on_conflict_do_update(index_elements=[suspensions.c.consumer], set_=suspension)
            )
        return await self.get_consumer(name)

    async def resume_consumer(self, name: str) -> KnownConsumer:
        """The consumer as active; raises NotFound."""
        await self.get_consumer(name)
        async with writing(self._store(), "consumer.resume", name) as connection:
            await connection.execute(delete(suspensions).where(suspensions.c.consumer == name))
        return await self.get_consumer(name)

    async def list_usage(self, days: int = 30, api: str | None = None) -> UsageOfApis:
        """The usage of the last days, including the counts that this process has not written yet."""
        database = self._store()
        await self._usage.write()
        uses = await (active_consumers(database, api, days) if api else used(database, days))
        return UsageOfApis(tuple(UsageOfApi(use.consumer, use.api, use.calls, use.last_day) for use in uses))

    def _unknown_grants(self, grants: Consumer) -> list[Fault]:
        """Faults for names that consumers.toml could not use either, as far as this gateway knows them."""
        instances = {mounted.instance for mounted in self._inventory.public}
        known = known_names(self._inventory.interfaces, instances=instances)
        unknown = unknown_grants(grants, known, roles_that_bind(self._runtime.bundle, known))
        pointers = ((f"/{place.translate(_POINTER)}", what) for place, what in unknown)
        return [Fault(pointer, what, "unknown") for pointer, what in pointers]

    def _consumers(self) -> Mapping[str, Consumer]:
        return self._directory.consumers(self._runtime.bundle.consumers)

    def _known(self, name: str) -> KnownConsumer:
        consumer, directory = self._consumers()[name], self._directory
        reason = directory.suspended(name) or next(iter(self._runtime.refusals(name, consumer)), None)
        return KnownConsumer(
            name=name,
            title=consumer.title,
            origin="declared" if name in self._runtime.bundle.consumers else "registered",
            state="active" if reason is None else "suspended",
            suspended_because=reason or "",
            scopes=consumer.scopes,
            subscriptions={**consumer.subscriptions, **directory.approved(name)},
            outside=consumer.outside,
            roles=consumer.roles,
        )
