"""Who owns the case of an activation that stopped: as the refusing system's own answer says it."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from contracts.canonical.exception import reason_of
from contracts.problems import Fault, NotFound, Problem, VendorRejected
from contracts.process.opportunity_to_project import ActivationBlocked
from kit.http import VendorAnswer
from process_apis.flows.opportunity_to_project.failures import blocked, describe_failure
from system_apis.connector.refusals import check_lengths, unmapped
from system_apis.vendors.kantata.client.errors import reader
from system_apis.vendors.netsuite.client.errors import read_error
from tests.process_apis.test_activation_rules import terms

HOLD = {
    "o:errorDetails": [
        {"detail": "This customer is on credit hold.", "o:errorCode": "USER_ERROR", "o:errorPath": ""}
    ]
}
LOGIN = {"o:errorDetails": [{"detail": "Invalid login attempt.", "o:errorCode": "INVALID_LOGIN"}]}
CLOSED = {"errors": [{"type": "validation", "message": "The client is archived.", "field": "title"}]}


def at_erp(status: int, body: dict[str, Any]) -> Problem | None:
    return read_error(answer("erp-1", status, body))


def at_psa(status: int, body: dict[str, Any]) -> Problem | None:
    return reader(1.0)(answer("psa-1", status, body))


def refused_text(check: Callable[..., None], *given: Any) -> Problem:
    """What a check raises before anything is sent to the ERP."""
    with pytest.raises(VendorRejected) as raised:
        check(*given, "erp-1")
    return raised.value


def answer(instance: str, status: int, body: dict[str, Any]) -> VendorAnswer:
    return VendorAnswer(instance, "POST", "/records", status, {}, msgspec.json.encode(body), "req-1")


@pytest.mark.parametrize(
    ("problem", "owner", "words"),
    [
        (at_erp(400, HOLD), "finance", "“This customer is on credit hold.”"),
        (refused_text(check_lengths, [("legal_name", "x" * 84, 83)]), "sales", "the legal name has 84"),
        (unmapped("no tax code of ours", "tax_profile", "erp-1"), "operations", "no tax code"),
        (at_erp(401, LOGIN), "operations", "our login is refused"),
        (at_psa(422, CLOSED), "delivery", "“The client is archived.”"),
        (at_psa(403, {}), "operations", "our user lacks the permission"),
    ],
)
def test_a_refusal_is_owned_by_who_can_put_it_right(problem: Problem, owner: str, words: str) -> None:
    """The ERP's by finance, the PSA's by delivery, a login or profile by operations, a text by sales."""
    case = describe_failure(
        msgspec.structs.replace(terms(), systems={"erp": "erp-1", "psa": "psa-1"}), problem
    )
    assert (case.kind, case.owner) == ("vendor_rejected", owner)
    assert words in case.why


def unknown(pointer: str, detail: str) -> ActivationBlocked:
    return ActivationBlocked("Stopped.", errors=(Fault(pointer, detail, "unknown"),))


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        (unknown("/rate_card", "“X” is not known."), True),
        (unknown("/rate_card", "“Y” is not known."), False),
        (unknown("/region", "“X” is not known."), False),
        (ActivationBlocked("“X” is not known."), False),
        (NotFound("“X” is not known."), False),
    ],
)
def test_cases_are_alike_by_the_code_and_the_value_of_each_fault(other: Problem, *, alike: bool) -> None:
    """The same unknown value of the same field, whatever else is said of the deal."""
    reason = reason_of(unknown("/rate_card", "“X” is not known."))
    assert reason.startswith("activation_blocked, /rate_card unknown (")
    assert (reason_of(other) == reason) == alike


@pytest.mark.parametrize(("name", "who"), [("Globex", "“Globex”"), ("", "The opportunity 006x")])
def test_a_deal_that_is_gone_is_undone_or_restored(name: str, who: str) -> None:
    """The case of a deleted deal names it, and sends nobody to the reference data."""
    case = blocked("006x", NotFound("crm-1 has no record 006x, or hides it from our user"), name)
    assert case.stopped == f"{who} cannot become a project yet."
    assert case.owner == "operations"
    assert "undo" in case.what_next
    assert "restore it in the CRM" in case.what_next
