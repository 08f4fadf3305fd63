"""Kantata stand-in: what the vendor has and is lacking here: refused, and listed in README.md."""

from sandbox.kantata.problems import fault, system
from sandbox.kantata.store import Record
from sandbox.kantata.values import words

# By what people do with them: collections of the vendor that are not here.
COLLECTIONS = {
    "Estimates": words(
        "estimates estimate_scenarios estimate_scenario_resources estimate_scenario_resource_allocations"
    ),
    "Timesheets": words(
        "timesheet_submissions timesheet_approvals timesheet_rejections timesheet_cancellations "
        "time_adjustments line_item_locks time_off_entries"
    ),
    "Expenses": words("expenses expense_categories expense_budgets expense_report_submissions vendors"),
    "Invoices": words(
        "invoices fixed_fee_items additional_items external_payments project_accounting_records "
        "exchange_tables exchange_rates"
    ),
    "Rates": words("rate_card_sets rate_card_set_versions rate_card_versions rate_card_roles cost_rates"),
    "Planning": words("story_allocation_days story_state_changes story_tasks project_snapshots"),
    "People": words(
        "account_invitations holiday_calendars organizations skill_categories skill_memberships "
        "user_group_memberships workweeks"
    ),
    "Talk and marks": words("attachments posts tags"),
}
# Fields that the vendor takes on create and update, by collection.
FIELDS = {
    "workspaces": words(
        "actual_fees_includes_additional_line_items actual_fees_includes_expenses estimate_scenario_id "
        "invoice_preference organizations project_template_checklist_as_todos "
        "project_template_distribute_hours revenue_recognition_method_id task_status_set_id"
    ),
    "custom_fields": words("read_access write_access"),
}
ACTIONS = words("invite")
_SENTENCE = "is not imitated by this stand-in"
_ALL = frozenset[str]().union(*COLLECTIONS.values())


def check_path(parts: list[str]) -> None:
    """Raises: RefusalError."""
    named = next((part for part in parts if part in _ALL or part in ACTIONS), None)
    if named:
        raise system(404, f"Not found: {named} {_SENTENCE}")


def faults_of(key: str, fields: Record) -> list[Record]:
    return [fault(name, _SENTENCE) for name in sorted(FIELDS.get(key, frozenset()) & set(fields))]
