"""The API of the view of exceptions: list, read."""

import datetime as dt
from typing import Any

import sqlalchemy as sa

from contracts.problems import NotFound
from contracts.process.exception_cases import ExceptionCase, ExceptionCases
from kit.database.rows import own
from process_apis.module import FlowDependencies
from process_apis.views.exception_cases.table import exception_cases
from process_apis.views.paging import read_page


class ExceptionCaseViewService:
    """The exceptions that the caller may see."""

    def __init__(self, dependencies: FlowDependencies) -> None:
        self._database = dependencies.database

    async def list_cases(
        self,
        status: str | None = None,
        owner: str | None = None,
        kind: str | None = None,
        flow: str | None = None,
        entity: str | None = None,
        instance: str | None = None,
        workflow_id: str | None = None,
        due_before: dt.datetime | None = None,
        cursor: str | None = None,
        limit: int = 50,
    ) -> ExceptionCases:
        """A page of exceptions, oldest first."""
        wanted = {
            "status": status,
            "owner": owner,
            "kind": kind,
            "flow": flow,
            "entity": entity,
            "workflow_id": workflow_id,
        }
        equal = [exception_cases.c[name] == value for name, value in wanted.items() if value is not None]
        query = sa.select(exception_cases).where(*equal, *own(exception_cases))
        if instance is not None:
            query = query.where(exception_cases.c.instances.contains([instance]))
        if due_before is not None:
            query = query.where(exception_cases.c.due_at < due_before)
        keys = (exception_cases.c.raised_at, exception_cases.c.exception_id)
        async with self._database.connect() as connection:
            page = await read_page(connection, query, keys, cursor, limit)
        return ExceptionCases(tuple(map(_case, page.rows)), page.next_cursor)

    async def get_case(self, exception_id: str) -> ExceptionCase:
        """The exception; raises NotFound."""
        this = exception_cases.c.exception_id == exception_id
        query = sa.select(exception_cases).where(this, *own(exception_cases))
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"There is no exception {exception_id}")
        return _case(row)


def _case(row: Any) -> ExceptionCase:
    return ExceptionCase(**{**row._asdict(), "instances": tuple(row.instances)})
