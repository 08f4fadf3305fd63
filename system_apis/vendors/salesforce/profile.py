"""system_apis: the profile of one Salesforce org with Sales Cloud. Pure data."""

from system_apis.connector.crm import CrmProfile
from system_apis.platforms.salesforce_org.connection import OrgChanges, OrgConnection


class SalesforceProfile(CrmProfile, frozen=True, kw_only=True):
    """`instances/<name>.toml` of a Salesforce org.

    `currency` only for an org without multiple currencies, which has no CurrencyIsoCode field at all.
    `opportunity_team`: Team Selling is switched on. `country_codes`: state and country picklists are.
    """

    connection: OrgConnection
    changes: OrgChanges = OrgChanges()
    opportunity_team: bool = False
    country_codes: bool = False
