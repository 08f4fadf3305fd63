"""What a deal changes elsewhere: the customer proposed, contract and project made, their ids written back."""

import re
from collections.abc import Callable

import msgspec

from contracts.canonical.contract import Contract, ContractDraft
from contracts.canonical.opportunity import Opportunity, ProjectLink
from contracts.canonical.project import Project, ProjectDraft
from contracts.canonical.values import Ref
from contracts.operation import Feature
from contracts.problems import PreconditionFailed
from contracts.process.customer_master import CustomerMaster, CustomerProposal, CustomerRequest
from contracts.routing import SystemAssignment
from contracts.system.crm import PRECONDITION, Crm
from contracts.system.erp import BILLING_SCHEDULE, Erp
from contracts.system.psa import Psa
from kit.effects import Effect, Owned, Source, Undo
from kit.texts import counted
from process_apis.failures import UNOWNED
from process_apis.flows.opportunity_to_project import rules
from process_apis.flows.opportunity_to_project.assignment import vendor_id
from process_apis.flows.opportunity_to_project.failures import describe_failure
from process_apis.flows.opportunity_to_project.rereading import Deal
from process_apis.reference import Reference
from process_apis.systems import instance_of

# What the draft of a project calls otherwise than the project itself, whose fields the ownership file names.
_PROJECT_NAMES = {"client_id": "customer_id", "contract_number": "contract_id", "staffing": "planned_roles"}


# Whether an instance lacks an optional feature.
Lacks = Callable[[str, Feature], bool]


def source_of(deal: Deal) -> Source:
    """The deal as that from which its effects follow."""
    terms = deal.terms
    again = f":{deal.number}" if deal.number > 1 else ""
    return Source(
        record=f"{terms.instance}:opportunity:{terms.opportunity_id}{again}",
        revision=terms.revision,
        explain=lambda problem: describe_failure(terms, problem),
        recheck=deal,
    )


def propose_customer(
    run_id: str, deal: Deal, systems: SystemAssignment, after: str = ""
) -> Effect[CustomerRequest]:
    """The deal's account, proposed to customer master; `after` a request that ended without a customer."""

    def proposal() -> CustomerProposal:
        terms = deal.terms
        return CustomerProposal(
            instance=terms.instance,
            account_id=terms.account_id,
            selling_entity=terms.selling_entity,
            currency=terms.value.currency,
            payment_terms=terms.payment_terms,
            after=after,
        )

    def settled(request: CustomerRequest) -> CustomerRequest:
        customer = Ref(instance_of(Erp, systems), "customer", "<customer>")
        client = Ref(instance_of(Psa, systems), "client", "<client>")
        return msgspec.structs.replace(request, refs=(customer, client))

    return Effect(
        step="propose-customer",
        title="Hand the customer to customer master",
        instance="customer-master",
        operation=CustomerMaster.propose_customer,
        key=re.sub(r"[.:]", "-", f"{run_id}-customer{after and '-again'}")[:128],
        body=proposal,
        returns=CustomerRequest,
        noun="customer request",
        placeholder=settled,
    )


def create_contract(
    deal: Deal, systems: SystemAssignment, refs: tuple[Ref, ...], reference: Reference, lacks: Lacks
) -> Effect[Contract]:
    """The contract of the customer with these references; without billing dates where the ERP stores none."""
    terms, instance = deal.terms, instance_of(Erp, systems)
    without_schedule = lacks(instance, BILLING_SCHEDULE)

    def draft() -> ContractDraft:
        customer_id = vendor_id(terms, refs, instance, "customer")
        whole = rules.contract_draft(deal.terms, customer_id, reference.templates[deal.terms.template])
        return msgspec.structs.replace(whole, billing_schedule=()) if without_schedule else whole

    def detail(contract: Contract) -> str:
        dates = counted(len(contract.billing_schedule), "billing date")
        return f"{contract.number}, {BILLING_SCHEDULE.without if without_schedule else dates}"

    return Effect(
        step="create-contract",
        title="Create the contract with its billing schedule in the ERP",
        instance=instance,
        operation=Erp.put_contract,
        key=rules.key_of("con", terms.instance, terms.opportunity_id, terms.revision, deal.number),
        body=draft,
        returns=Contract,
        noun="contract",
        find=Erp.get_contract_by_key,
        undo=Undo("Close the contract in the ERP", Erp.close_contract),
        owned=Owned("contract", "draft", unowned=UNOWNED),
        detail=detail,
    )


def provision_project(
    deal: Deal,
    systems: SystemAssignment,
    refs: Callable[[], tuple[Ref, ...]],
    reference: Reference,
    contract: Contract,
) -> Effect[Project]:
    """The project of the contract, for the client with these references, as they are when it is sent."""
    terms, instance = deal.terms, instance_of(Psa, systems)

    def draft() -> ProjectDraft:
        client_id, now = vendor_id(terms, refs(), instance, "client"), deal.terms
        template, rate_card = reference.templates[now.template], reference.rate_cards[now.rate_card]
        return rules.project_draft(now, contract.number or contract.id, client_id, template, rate_card)

    return Effect(
        step="provision-project",
        title="Provision the project with its structure, roles and staffing demand in the PSA",
        instance=instance,
        operation=Psa.put_project,
        key=rules.key_of("prj", terms.instance, terms.opportunity_id, terms.revision, deal.number),
        body=draft,
        returns=Project,
        noun="project",
        find=Psa.get_project_by_key,
        found_is_complete=False,
        undo=Undo("Cancel and archive the project in the PSA", Psa.cancel_project),
        owned=Owned("project", "planned", _PROJECT_NAMES, UNOWNED),
        detail=lambda project: (
            f"{counted(len(project.tasks), 'task')}, {counted(len(project.planned_roles), 'planned role')}"
        ),
    )


def write_back(
    deal: Deal, crm: Crm, project: Project, project_id: str, *, conditional: bool
) -> Effect[Opportunity]:
    """The project's ids on the opportunity.

    One that is no longer won comes back as it is: unwritten if the write is `conditional`, else written.
    """
    terms = deal.terms
    url = next((ref.url for ref in project.refs if ref.url), "")

    async def as_it_is(refusal: PreconditionFailed) -> Opportunity:
        opportunity = await crm.get_opportunity(terms.opportunity_id)
        if opportunity.stage == "won":
            raise refusal
        return opportunity

    def detail(opportunity: Opportunity) -> str:
        if opportunity.stage == "won":
            return "" if conditional else f"Written {PRECONDITION.without}"
        return f"{'Not written' if conditional else 'Written'}: no longer won"

    return Effect(
        step="write-back",
        title="Write the project's ids back on the opportunity",
        instance=terms.instance,
        operation=Crm.put_project_link,
        key=terms.opportunity_id,
        body=lambda: ProjectLink(project_id, "Activated", url, only_while="won" if conditional else None),
        returns=Opportunity,
        noun="opportunity",
        undo=Undo(
            "Take the project's ids off the opportunity",
            Crm.put_project_link,
            body=lambda _, __: ProjectLink(project_id="", status="Undone"),
            needed=lambda current: current.stage == "won" or bool(current.project_ref),
        ),
        if_unmet=as_it_is,
        owned=Owned(
            "opportunity",
            "won",
            {"project_id": "project_ref"},
            frozenset({"status", "project_url", "only_while"}),
        ),
        detail=detail,
    )
