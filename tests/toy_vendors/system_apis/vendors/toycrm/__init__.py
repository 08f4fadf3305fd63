"""system_apis: the connector of Toy CRM."""

from system_apis.vendors.toycrm.adapter.crm import ToycrmCrm
from system_apis.vendors.toycrm.changes import sources
from system_apis.vendors.toycrm.check import steps
from system_apis.vendors.toycrm.client import ToycrmClient
from system_apis.vendors.toycrm.client.errors import read_error
from system_apis.vendors.toycrm.mapping import canonical_id
from system_apis.vendors.toycrm.profile import ToycrmProfile

from kit.http import ClientCredentials
from kit.secrets import literal, resolve
from system_apis.connector import Account, Connector, ConnectorContext, Login, OpenInstance, opening


def _login(profile: ToycrmProfile, context: ConnectorContext) -> Login:
    connection, environ = profile.connection, context.environ
    address = literal(connection.base_url, environ)
    client_id, secret = literal(connection.client_id, environ), resolve(connection.client_secret, environ)
    return Login(
        base_url=address,
        auth=ClientCredentials(f"{address}/token", client_id, secret),
        request_id_header="x-request-id",
        reading={"read_error": read_error},
    )


def _build(opened: Account[ToycrmProfile]) -> OpenInstance:
    profile, client = opened.profile, ToycrmClient(opened.outbound)
    return OpenInstance(
        profile=profile,
        client=client,
        capabilities={"crm": ToycrmCrm(client)},
        changes=sources(profile, client),
        steps=lambda: steps(profile, client),
    )


CONNECTOR = Connector(
    name="toycrm",
    title="Toy CRM",
    capabilities=("crm",),
    profile=ToycrmProfile,
    open=opening(_login, _build),
    canonical_id=canonical_id,
)
