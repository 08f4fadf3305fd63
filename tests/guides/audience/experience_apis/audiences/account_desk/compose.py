"""What the account desk shows: labels and links, no I/O."""

from contracts.canonical.customer import Customer, Customers
from contracts.experience.account_desk import AccountList, AccountRow
from contracts.experience.common import ScreenLink

_STATUS = {
    "prospect": "Prospect",
    "proposed": "Waits for finance",
    "approved": "Customer",
    "blocked": "Blocked",
}


def account_list(page: Customers) -> AccountList:
    """A page of customers as the desk reads it."""
    return AccountList(tuple(map(_row, page.items)), page.next_cursor)


def _row(customer: Customer) -> AccountRow:
    links = tuple(ScreenLink(ref.instance, ref.id, ref.url) for ref in customer.refs)
    return AccountRow(customer.trading_name or customer.legal_name, _STATUS[customer.status], links)
