"""system_apis: the connector of Salesforce Sales Cloud, a customer relationship system."""

from system_apis.connector import Account, Connector, OpenInstance, opening
from system_apis.platforms.salesforce_org.events import Events
from system_apis.platforms.salesforce_org.login import login
from system_apis.vendors.salesforce.adapter.crm import SalesforceCrm
from system_apis.vendors.salesforce.changes import sources
from system_apis.vendors.salesforce.check import steps
from system_apis.vendors.salesforce.client import SalesforceClient
from system_apis.vendors.salesforce.mapping.ids import canonical
from system_apis.vendors.salesforce.profile import SalesforceProfile


def _build(opened: Account[SalesforceProfile]) -> OpenInstance:
    profile, session = opened.profile, opened.login.session
    events = Events(profile.name, session, profile.connection, opened.context.environ)
    client = SalesforceClient(opened.outbound, session, profile)
    return OpenInstance(
        profile=profile,
        client=client,
        capabilities={"crm": SalesforceCrm(client, profile)},
        changes=sources(profile, client, events),
        steps=lambda: steps(profile, session, client, events),
        close=events.close,
    )


CONNECTOR = Connector(
    name="salesforce",
    title="Salesforce Sales Cloud",
    capabilities=("crm",),
    profile=SalesforceProfile,
    open=opening(login, _build),
    canonical_id=canonical,
)
