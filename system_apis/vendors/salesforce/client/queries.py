"""system_apis: the SOQL queries for Sales Cloud's records, the profile's own fields included."""
# ruff: noqa: S608 - SOQL has no parameters; values are quoted, names are checked when the profile is read

from system_apis.platforms.salesforce_org.soql import STAMPS, by_id, select
from system_apis.vendors.salesforce.profile import SalesforceProfile

_OPPORTUNITY = (
    *STAMPS,
    *("Name", "StageName", "IsWon", "IsClosed", "CloseDate", "AccountId", "Amount", "Probability"),
    *("Owner.Name", "Owner.Email"),
)
_LINE = ("Id", "Name", "Description", "Quantity", "UnitPrice", "TotalPrice", "ProductCode", "ServiceDate")
_ACCOUNT = (
    *STAMPS,
    *("Name", "ParentId", "Industry", "Website", "Owner.Name"),
    *("BillingStreet", "BillingCity", "BillingState", "BillingPostalCode", "BillingCountry"),
)
_COUNTRY_CODES = ("BillingStateCode", "BillingCountryCode")
_CONTACT = (*STAMPS, "Name", "Email", "Phone", "Title")

STAGES = "SELECT MasterLabel, ApiName, IsWon, IsClosed FROM OpportunityStage"


def opportunities(profile: SalesforceProfile, where: str, *, limit: int | None = None) -> str:
    """Opportunities with their lines and, where the org has them, their team members."""
    columns = [
        *_OPPORTUNITY,
        *_currency(profile),
        *profile.fields.opportunity.named().values(),
        *profile.required_custom.opportunity,
        f"(SELECT {', '.join(_LINE)} FROM OpportunityLineItems ORDER BY SortOrder, Id)",
    ]
    if profile.opportunity_team:
        columns.append("(SELECT TeamMemberRole, User.Name, User.Email FROM OpportunityTeamMembers)")
    return select(columns, "Opportunity", where, limit=limit)


def accounts(profile: SalesforceProfile, where: str, *, limit: int | None = None) -> str:
    columns = [
        *_ACCOUNT,
        *_currency(profile),
        *(_COUNTRY_CODES if profile.country_codes else ()),
        *profile.fields.customer.named().values(),
    ]
    return select(columns, "Account", where, limit=limit)


def watched(profile: SalesforceProfile) -> dict[str, tuple[str, ...]]:
    """By object the columns in which two states of one second differ."""
    fields, currency = profile.fields, _currency(profile)
    return {
        "Opportunity": (*_OPPORTUNITY, *currency, *fields.opportunity.named().values()),
        "Account": (*_ACCOUNT, *currency, *fields.customer.named().values()),
    }


def merged(account_id: str) -> str:
    return f"SELECT Id, MasterRecordId FROM Account WHERE {by_id(account_id)}"


def contacts(where: str, *, limit: int | None = None) -> str:
    return select(_CONTACT, "Contact", where, limit=limit)


def _currency(profile: SalesforceProfile) -> tuple[str, ...]:
    return ("CurrencyIsoCode",) if profile.multiple_currencies else ()
