"""The account desk's module."""

from typing import Any

from contracts.experience.account_desk import AccountDesk
from contracts.process.customers import CustomerView
from experience_apis.audiences.account_desk.service import AccountDeskService

INTERFACE = AccountDesk
NEEDS = (CustomerView,)


def build(clients: dict[type, Any]) -> AccountDeskService:
    """The service over the clients of the interfaces that it needs."""
    return AccountDeskService(clients[CustomerView])
