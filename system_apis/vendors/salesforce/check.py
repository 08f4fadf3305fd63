"""system_apis: what Sales Cloud counts on in an org, by its profile."""

from collections.abc import Iterator

from contracts.system.instance import Finding
from system_apis.connector.checks import CheckStep, Wanted, fact_step
from system_apis.connector.crm import CODED
from system_apis.connector.findings import judged
from system_apis.platforms.salesforce_org import check
from system_apis.platforms.salesforce_org.auth import OrgSession
from system_apis.platforms.salesforce_org.check import DATE, NUMBER, TEXT, ObjectCheck
from system_apis.platforms.salesforce_org.client import OrgClient
from system_apis.platforms.salesforce_org.events import Events
from system_apis.platforms.salesforce_org.records import ObjectDescribe
from system_apis.vendors.salesforce.profile import SalesforceProfile

_KINDS = {"expected_start": DATE, "expected_end": DATE, "credit_limit": NUMBER}
_WRITTEN = frozenset({"project_id", "project_url", "project_status"})


def steps(
    profile: SalesforceProfile, session: OrgSession, client: OrgClient, events: Events
) -> Iterator[CheckStep]:
    """All that is looked at."""
    required = profile.required_custom.opportunity
    wanted = [*_wanted("Opportunity", profile.fields.opportunity.named())]
    wanted += [Wanted("Opportunity", name, "required_custom", written=True) for name in required]

    def currency(described: ObjectDescribe) -> Iterator[Finding]:
        several = any(field.name == "CurrencyIsoCode" for field in described.fields)
        yield judged(
            "field",
            "Opportunity.CurrencyIsoCode",
            "the org has several currencies" if several else "the org has a single currency",
            ok=several == profile.multiple_currencies,
            fix="Correct `multiple_currencies` in the profile; with a single one state the `currency`.",
        )

    deals, customers = profile.fields.opportunity.named(), profile.fields.customer.named()
    objects = (
        ObjectCheck("Opportunity", wanted, _codes(profile, deals), required, currency),
        ObjectCheck("Account", [*_wanted("Account", customers)], _codes(profile, customers)),
        ObjectCheck("Contact"),
    )
    yield from check.steps(profile, session, client, events, objects)
    if profile.multiple_currencies:
        yield fact_step("currency", profile.currency, client.corporate_currency)


def _wanted(sobject: str, names: dict[str, str]) -> Iterator[Wanted]:
    for noun, name in names.items():
        yield Wanted(sobject, name, noun, _KINDS.get(noun, TEXT), written=noun in _WRITTEN)


def _codes(profile: SalesforceProfile, names: dict[str, str]) -> list:
    nouns = [noun for noun in (*CODED, "selling_entity") if noun in names]
    return [(noun, names[noun], getattr(profile.picklists, noun)) for noun in nouns]
