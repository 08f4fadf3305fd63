"""A flow does without the optional features that an instance lacks, and its timeline says so."""

import pytest

from contracts.process.opportunity_to_project import OpportunityToProject
from contracts.system.crm import PRECONDITION
from contracts.system.erp import BILLING_SCHEDULE
from kit.settings import SettingsError
from system_apis.app import read_profiles
from tests.journeys.test_effects import ended, process
from tests.support.deals import new_deal
from tests.support.deployments import MakeDeployment
from tests.support.stack import Stack


def lack(stack: Stack, instance: str, feature: str) -> None:
    """Say in the instance's profile what its account does not have."""
    path = stack.config / "instances" / f"{instance}.toml"
    path.write_text(f'lacks = ["{feature}"]\n' + path.read_text(encoding="utf-8"), encoding="utf-8")


@pytest.mark.whole
@pytest.mark.filterwarnings("ignore::litestar.exceptions.LitestarDeprecationWarning")
async def test_a_deal_is_made_without_billing_schedule_and_condition(
    make_deployment: MakeDeployment, fresh_database_url: str
) -> None:
    """The contract has no billing dates, the link is written unconditionally; both steps say why."""
    async with make_deployment("lacking", fresh_database_url) as stack:
        lack(stack, "netsuite-main", "billing_schedule")
        lack(stack, "salesforce-main", "precondition")
        deal = await new_deal(stack.accounts.crm, stage="won")
        async with process(stack, fresh_database_url, "live") as deployment:
            row = await ended(deployment, OpportunityToProject, deal)
            assert row.status == "done", row.status_text
            shown = await deployment.tiers.modules[OpportunityToProject].service.get_activation(row.id)
            erp = deployment.tiers.instances["netsuite-main"].opened.capabilities["erp"]
            (contract,) = [ref.id for ref in shown.refs if ref.object == "contract"]
            assert (await erp.get_contract(contract)).billing_schedule == ()
            crm = deployment.tiers.instances["salesforce-main"].opened.capabilities["crm"]
            assert (await crm.get_opportunity(deal.opportunity_id)).project_ref == shown.project_id
    details = {step.name: step.detail for step in shown.timeline}
    assert details["create-contract"].endswith(f", {BILLING_SCHEDULE.without}")
    assert details["write-back"] == f"Written {PRECONDITION.without}"


async def test_an_unknown_feature_is_refused_with_its_file(
    make_deployment: MakeDeployment, fresh_database_url: str
) -> None:
    """A profile may only lack what the capabilities of its vendor have as an option."""
    async with make_deployment("unknown", fresh_database_url) as stack:
        lack(stack, "netsuite-main", "precondition")
        with pytest.raises(SettingsError, match="NetSuite has no optional feature 'precondition'"):
            read_profiles(stack.config / "instances")
