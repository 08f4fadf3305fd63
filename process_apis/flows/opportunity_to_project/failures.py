"""What an exception says of an activation that stopped: what, why, what next, and who owns it."""

import msgspec

from contracts.canonical.customer import amount_in_words
from contracts.canonical.exception import OPERATIONS
from contracts.problems import Conflict, NotFound, Problem
from contracts.process.customer_master import CustomerRequest
from contracts.process.opportunity_to_project import ActivationBlocked
from kit.workflows import ExceptionDraft
from process_apis.failures import SALES, owner_of, stop_of
from process_apis.flows.opportunity_to_project import rules
from process_apis.flows.opportunity_to_project.rules import AMOUNT, Terms
from process_apis.ways_on import CORRECT_DEAL, CORRECT_SETTINGS

_CORRECT = {
    SALES: CORRECT_DEAL,
    "finance": "Correct what is named, then replay; or undo.",
    OPERATIONS: CORRECT_SETTINGS,
    "delivery": (
        "Correct what is named in the other system, then replay. If the customer's client was deleted there, "
        "replay with the correction client_id: the id of the client to take from now on. Or undo."
    ),
}

_GONE = (
    "If it was deleted on purpose, undo. If not, restore it in the CRM, or let our user see it there, "
    "then replay."
)


def blocked(opportunity_id: str, problem: Problem, name: str = "") -> ExceptionDraft:
    """The exception of an opportunity that cannot be validated; `name` is as it was last read."""
    owner = _fixer(problem) if isinstance(problem, ActivationBlocked) else owner_of(problem, "", {})
    name = problem.extra.get("name") or name
    what = f"“{name}”" if name else f"The opportunity {opportunity_id}"
    return stop_of(
        problem,
        f"{what} cannot become a project yet.",
        owner=owner,
        what_next=_GONE if isinstance(problem, NotFound) else _next(problem, owner),
        kind="missing_master_data" if isinstance(problem, ActivationBlocked) else None,
    )


def describe_failure(terms: Terms, problem: Problem) -> ExceptionDraft:
    """The exception of an activation that stopped half-way."""
    owner = owner_of(problem, terms.instance, terms.systems)
    stopped = f"The activation of “{terms.name}” for {terms.account_name} stopped."
    before = {
        AMOUNT: amount_in_words(terms.value),
        rules.COMPARED["selling_entity"]: terms.selling_entity,
    }
    stop = stop_of(problem, stopped, owner=owner, what_next=_next(problem, owner))
    return msgspec.structs.replace(stop, before=before)


def _fixer(problem: Problem) -> str:
    fixers = {fault.fixed_by for fault in problem.errors}
    return SALES if rules.SALES in fixers else "finance" if rules.FINANCE in fixers else OPERATIONS


def _next(problem: Problem, owner: str) -> str:
    if problem.retryable:
        return "Replay when the other system answers again, or undo what was made so far."
    return _CORRECT.get(owner, "Correct what is named in the other system, then replay; or undo.")


def other_terms(terms: Terms, before: dict[str, str], after: dict[str, str]) -> ExceptionDraft:
    """The exception of a deal whose terms were changed after they had been decided on."""
    changed = ", ".join(f"{name} was {before[name]} and is now {after[name]}" for name in before)
    return ExceptionDraft(
        kind="amount_mismatch" if AMOUNT in before else "retroactive_change",
        stopped=f"The activation of “{terms.name}” for {terms.account_name} waits: its terms were changed.",
        why=f"The deal was changed in the CRM after it was checked: {changed}.",
        what_next=(
            "Replay to go on with the new terms, which are judged again; what was made with the old ones is "
            "taken back first. Or undo. To retain the old terms, restore them in the CRM and replay."
        ),
        owner="finance" if AMOUNT in before else "sales operations",
        before=before,
        after=after,
    )


def changed_customer(terms: Terms, before: dict[str, str], after: dict[str, str]) -> ExceptionDraft:
    """The exception of a known customer whose account is another than finance decided on."""
    changed = " ".join(
        f"{name} was {before[name]} when this was decided, and is now {after[name]}." for name in before
    )
    return ExceptionDraft(
        kind="approval_required",
        stopped=f"The activation of “{terms.name}” waits: {terms.account_name} has changed.",
        why=changed,
        what_next=(
            "Correct the customer in the ERP where that is needed, then replay to accept it as it is now: "
            "later deals are compared with that. Or undo."
        ),
        owner="finance",
        before=before,
        after=after,
    )


def without_customer(terms: Terms, request: CustomerRequest) -> Conflict:
    """The problem of a deal whose customer was rejected, or whose request was undone."""
    return Conflict(
        f"{terms.account_name} is not a customer. {request.status_text}",
        extra={
            "owner": request.waiting_for or SALES,
            "what_next": (
                "Correct on the account what was objected to, then press Activate on the deal or win it "
                "again: finance is asked anew, with how it ended. A replay does the same; or undo."
            ),
        },
    )


def only_observed(terms: Terms) -> Conflict:
    """The problem of a deal that is live while the customer it needs would only be observed."""
    return Conflict(
        f"{terms.account_name} is not set up: customer master only observes what is of {terms.instance}.",
        extra={
            "owner": OPERATIONS,
            "what_next": (
                "Set customer master to live for this instance in flows.toml, restart and replay, or undo."
            ),
        },
    )
