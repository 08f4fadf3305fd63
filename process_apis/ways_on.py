"""How each run goes on, or goes on again after its end: who may, by what, and what happens then."""

from collections.abc import Mapping

import msgspec

from contracts.canonical.workflow import WorkflowStatus
from kit.exceptions import OpenCase
from kit.workflows import RunRow

CASE_OF_SALES, OTHER_CASE = "a case of sales", "another case"


class WayOn(msgspec.Struct, frozen=True):
    """Who may go on, by what, and what happens then; empty where none need or may."""

    who: str = ""
    by: str = ""
    then: str = ""


Situation = tuple[WorkflowStatus, str]
"""A run's status, and whose open case it has, empty without one."""

_CASE_OWNER = "the team of the case"
CORRECT_DEAL = (
    "Correct what is named on the deal or its account in the CRM, then press Activate or win the deal again."
)
CORRECT_SETTINGS = (
    "Correct what is named in the reference data, the settings or the other system, then replay; or undo."
)
CORRECT_ACCOUNT = "Correct what is named on the account in the CRM, then press Activate on a deal of it."

OPPORTUNITY_TO_PROJECT: Mapping[Situation, WayOn] = {
    ("running", ""): WayOn(then="It goes on by itself."),
    ("waiting", ""): WayOn(
        "finance, or the team of a case of the customer",
        "Finance decides on the customer.",
        "The activation goes on by itself once the account is a customer.",
    ),
    ("parked", CASE_OF_SALES): WayOn(
        "the deal's owner",
        CORRECT_DEAL,
        "Deal and account are read and judged again, and the activation goes on.",
    ),
    ("parked", OTHER_CASE): WayOn(
        _CASE_OWNER,
        "Replay the case once its cause is corrected, or undo.",
        "A replay reads deal and account again and goes on; an undo takes back what was made.",
    ),
    ("done", ""): WayOn(then="Contract and project stand; what changes now is a change order."),
    ("undone", ""): WayOn(
        "the deal's owner",
        "Win the deal again, or press Activate on a won one.",
        "A new activation makes a contract and a project of its own. Finance or operations may instead "
        "replay this one, which revives what it had made.",
    ),
    ("undone", OTHER_CASE): WayOn(
        _CASE_OWNER,
        "Replay the case once its cause is corrected, or skip it.",
        "A replay begins again and revives what was made; after a skip the deal may be activated anew.",
    ),
    ("undone", CASE_OF_SALES): WayOn(
        "the deal's owner",
        CORRECT_DEAL,
        "The activation begins again and revives what it had made.",
    ),
    ("observed", ""): WayOn(
        "the deal's owner",
        "Press Activate once the flow is live for this CRM.",
        "A new activation makes what this one only worked out.",
    ),
    ("failed", OTHER_CASE): WayOn(
        "operations",
        "Replay the case once the cause is removed.",
        "The activation begins again; what it had made is not made twice.",
    ),
    ("failed", ""): WayOn(
        "operations",
        "Replay the run.",
        "The activation begins again; what it had made is not made twice.",
    ),
}

CUSTOMER_MASTER: Mapping[Situation, WayOn] = {
    ("running", ""): WayOn(then="It goes on by itself."),
    ("waiting", ""): WayOn(
        "finance",
        "Approve or reject the customer, or merge it with one that the ERP has.",
        "It goes on by itself, and so do the deals that wait for it.",
    ),
    ("parked", CASE_OF_SALES): WayOn(
        "the deal's owner",
        CORRECT_ACCOUNT,
        "The account is read and judged again, and the request goes on.",
    ),
    ("parked", OTHER_CASE): WayOn(
        _CASE_OWNER,
        "Replay the case once its cause is corrected, or undo.",
        "A replay reads the account again and goes on; an undo ends the request, and its deals say so.",
    ),
    ("done", ""): WayOn(then="Every deal of the account uses the customer."),
    ("failed", ""): WayOn(
        "the deal's owner",
        "Correct on the account what finance objected to, then press Activate on a deal of it.",
        "A new request asks finance again, and says how this one ended.",
    ),
    ("failed", OTHER_CASE): WayOn(
        "operations",
        "Replay the case once the cause is removed.",
        "The request begins again; what it had made is not made twice.",
    ),
    ("undone", ""): WayOn(
        "the deal's owner",
        "Press Activate on a deal of the account.",
        "A new request begins, and finance is asked, with how this one ended.",
    ),
    ("undone", OTHER_CASE): WayOn(
        _CASE_OWNER,
        "Replay the case once its cause is corrected, or skip it.",
        "A replay begins again; after a skip a deal may ask anew.",
    ),
    ("undone", CASE_OF_SALES): WayOn(
        "the deal's owner",
        CORRECT_ACCOUNT,
        "The request begins again.",
    ),
    ("observed", ""): WayOn(
        "the deal's owner",
        "Press Activate on a deal of the account once customer master is live for this CRM.",
        "The request begins again, and makes what it only worked out.",
    ),
}

WAYS: Mapping[str, Mapping[Situation, WayOn]] = {
    "opportunity-to-project": OPPORTUNITY_TO_PROJECT,
    "customer-master": CUSTOMER_MASTER,
}


GOES_ON = "It goes on by itself: what stopped it was corrected or decided on"
"""Of a run that has not yet taken in a person's decision."""


def way_of(run: RunRow, case: OpenCase | None) -> WayOn:
    """How a run goes on; an open case says by itself who decides on it, and what."""
    if case is not None:
        return WayOn(case.owner, case.what_next)
    way = WAYS.get(run.flow, {}).get((run.status, ""), WayOn())
    # What has ended waits for none: it may be begun anew.
    return msgspec.structs.replace(way, who="") if run.finished_at else way
