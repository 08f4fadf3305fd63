"""What an exception says of an activation that stopped: what, why, what next, and who owns it."""

from contracts.problems import Problem
from kit.workflows import Stop
from process_apis.flows.opportunity_to_project.rules import Terms
from process_apis.stops import stop_kind


def blocked(opportunity_id: str, problem: Problem) -> Stop:
    """The exception of an opportunity that cannot be validated."""
    return Stop(
        kind=stop_kind(problem),
        stopped=f"The opportunity {opportunity_id} could not become a project.",
        why=problem.detail,
        what_next="Correct the fields named below on the opportunity or its account, then replay.",
        owner="sales operations",
        errors=problem.errors,
    )


def stopped(terms: Terms, problem: Problem) -> Stop:
    """The exception of an activation that stopped half-way."""
    return Stop(
        kind=stop_kind(problem),
        stopped=f"The activation of “{terms.name}” for {terms.account_name} stopped.",
        why=problem.detail,
        what_next="Correct what is named and replay, or undo what was made so far.",
        owner="finance" if problem.code == "conflict" else "operations",
        errors=problem.errors,
        before={
            "value": f"{terms.value.amount} {terms.value.currency}",
            "selling_entity": terms.selling_entity,
        },
    )
