"""The exceptions queue's API: list, read, resolve."""

from contracts.canonical.exception import BusinessException, BusinessExceptions, ExceptionStatus
from contracts.process.exceptions import AlikeResolution, Resolution, ResolvedAlike
from kit import audit, exceptions, privacy
from kit.database import Database
from kit.workflows import Runtime
from process_apis.current_policy import CurrentPolicy


class ExceptionsService:
    """Business cases that wait for a person."""

    def __init__(self, runtime: Runtime, database: Database, current_policy: CurrentPolicy) -> None:
        self._runtime = runtime
        self._database = database
        self._current_policy = current_policy

    async def list_exceptions(
        self,
        status: ExceptionStatus | None = None,
        flow: str | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> BusinessExceptions:
        """A page of exceptions, oldest first."""
        async with self._database.connect() as connection:
            return await exceptions.find(connection, status=status, flow=flow, cursor=cursor, limit=limit)

    async def get_exception(self, exception_id: str) -> BusinessException:
        """One exception."""
        async with self._database.connect() as connection:
            return await exceptions.get(connection, exception_id)

    async def resolve_exception(
        self, exception_id: str, body: Resolution, if_match: str | None = None
    ) -> BusinessException:
        """The exception as resolved; the work that waits for it goes on in the same transaction."""
        async with self._database.begin() as connection:
            return await exceptions.resolve(
                connection,
                self._runtime,
                exception_id,
                if_match=if_match,
                action=body.action,
                reason=body.reason,
                corrections=body.corrections,
                by=await privacy.actor(connection),
                duties=self._current_policy.duties,
                consumer=audit.consumer(),
            )

    async def resolve_alike(self, exception_id: str, body: AlikeResolution) -> ResolvedAlike:
        """What was resolved of those that stopped for the same reason, in one transaction."""
        async with self._database.begin() as connection:
            outcome = await exceptions.resolve_group(
                connection,
                self._runtime,
                exception_id,
                most=body.most,
                action=body.action,
                reason=body.reason,
                corrections=body.corrections,
                by=await privacy.actor(connection),
                duties=self._current_policy.duties,
                consumer=audit.consumer(),
            )
        return ResolvedAlike(outcome.resolved, outcome.remaining, outcome.withheld)
