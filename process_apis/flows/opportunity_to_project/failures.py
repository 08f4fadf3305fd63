"""What an exception says of an activation that stopped: what, why, what next, and who owns it."""

from contracts.canonical.exception import kind_of
from contracts.problems import Conflict, Problem
from contracts.process.opportunity_to_project import ActivationBlocked
from kit.workflows import ExceptionDraft
from process_apis.flows.opportunity_to_project.rules import AMOUNT, Terms


def blocked(opportunity_id: str, problem: Problem) -> ExceptionDraft:
    """The exception of an opportunity that cannot be validated."""
    return ExceptionDraft(
        kind="missing_master_data" if isinstance(problem, ActivationBlocked) else kind_of(problem),
        stopped=f"The opportunity {opportunity_id} could not become a project.",
        why=problem.detail,
        what_next="Correct the fields named below on the opportunity or its account, then replay.",
        owner="sales operations",
        errors=problem.errors,
    )


def describe_failure(terms: Terms, problem: Problem) -> ExceptionDraft:
    """The exception of an activation that stopped half-way."""
    next_, owner = problem.extra.get("what_next"), problem.extra.get("owner")
    return ExceptionDraft(
        kind=kind_of(problem),
        stopped=f"The activation of “{terms.name}” for {terms.account_name} stopped.",
        why=problem.detail,
        what_next=next_ or "Correct what is named and replay, or undo what was made so far.",
        owner=owner or ("finance" if problem.code == "conflict" else "operations"),
        errors=problem.errors,
        before={
            "value": f"{terms.value.amount} {terms.value.currency}",
            "selling_entity": terms.selling_entity,
        },
    )


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
            "Put the customer right in the ERP where that is needed, then replay to accept it as it is now: "
            "later deals are compared with that. Or undo."
        ),
        owner="finance",
        before=before,
        after=after,
    )


def only_observed(terms: Terms) -> Conflict:
    """The problem of a deal that is live while the customer it needs would only be observed."""
    return Conflict(
        f"{terms.account_name} is not set up: customer master only observes what is of {terms.instance}.",
        extra={
            "owner": "operations",
            "what_next": (
                "Set customer master to live for this instance in flows.toml, restart and replay, or undo."
            ),
        },
    )
