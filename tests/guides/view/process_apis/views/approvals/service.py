"""The API of the view of approvals: list, read."""

import msgspec
import sqlalchemy as sa

from contracts.problems import NotFound
from contracts.process.approvals import Approval, Approvals
from kit.database.rows import own
from process_apis.module import FlowDependencies
from process_apis.views.approvals.table import approvals
from process_apis.views.paging import read_page


class ApprovalViewService:
    """The approvals that the caller may see."""

    def __init__(self, dependencies: FlowDependencies) -> None:
        self._database = dependencies.database

    async def list_approvals(
        self, entity: str | None = None, cursor: str | None = None, limit: int = 50
    ) -> Approvals:
        """A page of approvals, in the order of the customers' ids."""
        query = sa.select(approvals).where(*own(approvals))
        if entity is not None:
            query = query.where(approvals.c.entity == entity)
        async with self._database.connect() as connection:
            page = await read_page(connection, query, (approvals.c.customer_id,), cursor, limit)
        return Approvals(tuple(map(_approval, page.rows)), page.next_cursor)

    async def get_approval(self, customer_id: str) -> Approval:
        """The approval of a customer; raises NotFound."""
        query = sa.select(approvals).where(approvals.c.customer_id == customer_id, *own(approvals))
        async with self._database.connect() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise NotFound(f"No approval of {customer_id} is known.")
        return _approval(row)


def _approval(row: object) -> Approval:
    return msgspec.convert(row, Approval, from_attributes=True)
