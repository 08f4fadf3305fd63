"""system_apis: the profile of one Salesforce org with Sales Cloud. Pure data."""

from collections.abc import Iterator

from system_apis.connector.crm import CrmProfile
from system_apis.platforms.salesforce_org.connection import OrgChanges, OrgConnection


class SalesforceProfile(CrmProfile, frozen=True, kw_only=True):
    """`instances/<name>.toml` of a Salesforce org.

    `multiple_currencies`: the feature is switched on; an org without it has no field CurrencyIsoCode at all.
    `opportunity_team`: Team Selling is switched on. `country_codes`: state and country picklists are.
    """

    connection: OrgConnection
    changes: OrgChanges = OrgChanges()
    multiple_currencies: bool = True
    opportunity_team: bool = False
    country_codes: bool = False

    def currency_of(self, record: str | None) -> str:
        """A record's currency: what it names, or the org's where no record does; empty for a hidden field."""
        return (record or "") if self.multiple_currencies else self.currency

    def faults(self) -> Iterator[str]:
        yield from super().faults()
        if not (self.multiple_currencies or self.currency):
            yield "currency: an org without multiple currencies does not name its own with its amounts"
