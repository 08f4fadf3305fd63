"""The decisions of opportunity to project: what a deal must bring, and what follows from it."""

from process_apis.flows.opportunity_to_project.rules.differences import AMOUNT, COMPARED, differences
from process_apis.flows.opportunity_to_project.rules.drafts import (
    billing_schedule,
    budget_hours,
    contract_draft,
    key_of,
    project_draft,
)
from process_apis.flows.opportunity_to_project.rules.terms import (
    FINANCE,
    LABELS,
    SALES,
    Corrections,
    Terms,
    TermsVerdict,
    correct,
    entity_of,
    judge,
)

__all__ = [
    "AMOUNT",
    "COMPARED",
    "FINANCE",
    "LABELS",
    "SALES",
    "Corrections",
    "Terms",
    "TermsVerdict",
    "billing_schedule",
    "budget_hours",
    "contract_draft",
    "correct",
    "differences",
    "entity_of",
    "judge",
    "key_of",
    "project_draft",
]
