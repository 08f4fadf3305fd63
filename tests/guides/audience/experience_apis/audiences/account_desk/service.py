"""The account desk's API: asks the view of customers, composes the screen."""

from contracts.experience.account_desk import AccountList
from contracts.process.customers import CustomerView
from experience_apis.audiences.account_desk import compose


class AccountDeskService:
    """What the account desk calls."""

    def __init__(self, customers: CustomerView) -> None:
        self._customers = customers

    async def list_accounts(self, cursor: str | None = None) -> AccountList:
        """A page of customers."""
        return compose.account_list(await self._customers.list_customers(cursor=cursor, limit=20))
