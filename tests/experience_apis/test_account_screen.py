"""The account screen's arithmetic: which deals count as contracted."""

import datetime as dt
from decimal import Decimal
from typing import get_args

from contracts.canonical.values import Money
from contracts.canonical.workflow import WorkflowStatus
from contracts.process.projects import AccountOverview, AccountProject
from experience_apis.audiences.crm_ui.compose import account_screen

NOW = dt.datetime(2027, 1, 1, tzinfo=dt.UTC)


def test_a_deal_that_came_to_no_contract_counts_no_money() -> None:
    """Undone, observed and failed ones are shown as that, beside those that are made or on their way."""
    statuses: tuple[WorkflowStatus, ...] = get_args(WorkflowStatus)
    projects = tuple(
        AccountProject("", "", status, status, Money(Decimal(10**place), "GBP"), status)
        for place, status in enumerate(statuses)
    )
    screen = account_screen(AccountOverview("crm-1", "acc-1", NOW, items=projects), NOW)
    assert [card.activation_status for card in screen.projects] == list(statuses)
    counted = {status for place, status in enumerate(statuses) if screen.totals[0].amount // 10**place % 10}
    assert counted == {"running", "waiting", "parked", "done"}
