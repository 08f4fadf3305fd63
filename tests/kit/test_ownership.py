"""tests/kit: ownership by object, field and stage."""

# ruff: noqa: A002 - an id, an object and an input are called what they are

from pathlib import Path

import msgspec
import pytest

from contracts.canonical.contract import Contract
from contracts.canonical.customer import Customer
from contracts.canonical.opportunity import Opportunity
from contracts.canonical.project import Project
from contracts.problems import OwnershipViolation
from kit.ownership import Ownership
from kit.settings import SettingsError

FOLDER = Path(__file__).parents[2] / "contracts" / "ownership"
NOT_OWNED = {
    "id",
    "version",
    "updated_at",
    "refs",
    "key",
    "unmapped",
}  # ours or the carrier's, not business data


@pytest.fixture(scope="module")
def ownership() -> Ownership:
    return Ownership.load(FOLDER)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("customer", Customer), ("contract", Contract), ("opportunity", Opportunity), ("project", Project)],
)
def test_every_field_has_exactly_one_rule(
    ownership: Ownership, name: str, kind: type[msgspec.Struct]
) -> None:
    """The file names every business field of every object of the flow, and none that does not exist."""
    named = [field for rule in ownership.objects[name].field for field in rule.names]
    assert sorted(named) == sorted(set(kind.__struct_fields__) - NOT_OWNED)


@pytest.mark.parametrize(
    ("object", "stage", "system", "field", "action"),
    [
        ("customer", "prospect", "crm", "legal_name", "allow"),
        ("customer", "approved", "crm", "legal_name", "exception"),
        ("customer", "approved", "crm", "billing_address", "exception"),
        ("customer", "approved", "crm", "credit_limit", "reject"),
        ("customer", "approved", "erp", "legal_name", "allow"),
        ("customer", "approved", "erp", "industry", "drop"),
        ("customer", "approved", "crm", "industry", "allow"),
        ("contract", "active", "psa", "billing_schedule", "reject"),
        ("contract", "active", "crm", "value", "exception"),
        ("contract", "draft", "crm", "value", "allow"),
        ("project", "active", "erp", "tasks", "exception"),
        ("project", "active", "psa", "tasks", "allow"),
        ("project", "active", "psa", "budget", "exception"),
        ("opportunity", "won", "psa", "amount", "reject"),
        ("opportunity", "won", "enfilade", "project_ref", "allow"),
        ("customer", "approved", "crm", "shoe_size", "drop"),
    ],
)
def test_a_change_is_judged_by_field_and_stage(
    ownership: Ownership, object: str, stage: str, system: str, field: str, action: str
) -> None:
    """Who may change what depends on the field and the stage, not on the system alone."""
    assert ownership.check(object, stage, system, [field])[field].action == action


def test_the_crm_never_creates_a_customer_without_finance(ownership: Ownership) -> None:
    """An approved customer comes from the flow or the ERP, with finance's approval."""
    assert not ownership.may_create("customer", "approved", "crm")
    assert ownership.may_create("customer", "prospect", "crm")
    verdict = ownership.check("customer", "approved", "enfilade", ["legal_name"])["legal_name"]
    assert (verdict.action, verdict.approval) == ("allow", "finance")


def test_a_demand_names_every_field_at_fault(ownership: Ownership) -> None:
    """Before we write into a system, all fields that may not be written are refused together."""
    with pytest.raises(OwnershipViolation) as refused:
        ownership.demand("contract", "active", "psa", ["value", "billing_schedule"])
    assert [fault.pointer for fault in refused.value.errors] == ["/value", "/billing_schedule"]
    ownership.demand("project", "active", "psa", ["tasks"])


def test_an_unknown_object_or_stage_is_refused(ownership: Ownership) -> None:
    """What nobody has ruled on is not written."""
    with pytest.raises(OwnershipViolation):
        ownership.check("invoice", "open", "crm", ["total"])
    with pytest.raises(OwnershipViolation):
        ownership.check("customer", "retired", "crm", ["legal_name"])


def test_a_faulty_file_tells_all_its_faults(tmp_path: Path) -> None:
    """Every missing owner, unknown stage and system, and doubled field of every file is reported at once."""
    (tmp_path / "thing.toml").write_text(
        'stages = ["new", "old"]\ncreate = { gone = ["crm"] }\n'
        '[[field]]\nnames = ["a"]\nowner = { new = "abc" }\nreaders = []\n'
        'travels = "two-way"\nhow_often = "daily"\nviolation = "reject"\n'
        '[[field]]\nnames = ["a"]\nowner = { new = "crm", old = "crm" }\nreaders = []\n'
        'travels = "two-way"\nhow_often = "daily"\nviolation = "reject"\n'
    )
    (tmp_path / "other.toml").write_text("stages = 7\n")
    with pytest.raises(SettingsError) as found:
        Ownership.load(tmp_path)
    assert len(found.value.faults) == 5
