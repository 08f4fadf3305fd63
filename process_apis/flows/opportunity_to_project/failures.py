"""What an exception says of an activation that stopped: what, why, what next, and who owns it."""

from collections.abc import Mapping

from contracts.canonical.exception import OPERATIONS, kind_of, team_of
from contracts.problems import Conflict, NotFound, Problem, VendorRejected
from contracts.process.customer_master import CustomerRequest
from contracts.process.opportunity_to_project import ActivationBlocked
from kit.workflows import ExceptionDraft
from process_apis.failures import SALES
from process_apis.flows.opportunity_to_project import rules
from process_apis.flows.opportunity_to_project.rules import AMOUNT, Terms

_CORRECT = {
    SALES: (
        "Correct what is named on the deal or its account in the CRM, then press Activate "
        "or win the deal again."
    ),
    "finance": "Correct what is named, then replay; or undo.",
    OPERATIONS: (
        "Correct what is named in the reference data, the settings or the other system, then replay; or undo."
    ),
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
    owner, name = owner_of(problem, {}), problem.extra.get("name") or name
    what = f"“{name}”" if name else f"The opportunity {opportunity_id}"
    return ExceptionDraft(
        kind="missing_master_data" if isinstance(problem, ActivationBlocked) else kind_of(problem),
        stopped=f"{what} cannot become a project yet.",
        why=problem.detail,
        what_next=_GONE if isinstance(problem, NotFound) else _next(problem, owner),
        owner=owner,
        errors=problem.errors,
    )


def describe_failure(terms: Terms, problem: Problem) -> ExceptionDraft:
    """The exception of an activation that stopped half-way."""
    teams = {terms.systems.get("erp", ""): "finance", terms.systems.get("psa", ""): "delivery"}
    owner = owner_of(problem, {**teams, terms.instance: SALES})
    return ExceptionDraft(
        kind=kind_of(problem),
        stopped=f"The activation of “{terms.name}” for {terms.account_name} stopped.",
        why=problem.detail,
        what_next=_next(problem, owner),
        owner=owner,
        errors=problem.errors,
        before={
            "value": f"{terms.value.amount} {terms.value.currency}",
            "selling_entity": terms.selling_entity,
        },
    )


def owner_of(problem: Problem, teams: Mapping[str, str]) -> str:
    """Who must act: as the problem says, by its faults, or by the instance that refused (`teams`)."""
    if named := problem.extra.get("owner"):
        return named
    if isinstance(problem, ActivationBlocked):
        fixers = {fault.fixed_by for fault in problem.errors}
        return SALES if rules.SALES in fixers else "finance" if rules.FINANCE in fixers else OPERATIONS
    if isinstance(problem, VendorRejected):
        return teams.get(problem.instance, OPERATIONS)
    return team_of(problem)


def _next(problem: Problem, owner: str) -> str:
    if what_next := problem.extra.get("what_next"):
        return what_next
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
