"""system_apis: the connector of Toy ERP."""

from kit.http import ClientCredentials
from kit.secrets import literal, resolve
from system_apis.connector import Account, Connector, ConnectorContext, Login, OpenInstance, opening
from system_apis.vendors.toyerp.adapter.erp import ToyerpErp
from system_apis.vendors.toyerp.changes import sources
from system_apis.vendors.toyerp.check import steps
from system_apis.vendors.toyerp.client import ToyerpClient
from system_apis.vendors.toyerp.client.errors import read_error
from system_apis.vendors.toyerp.mapping import canonical_id
from system_apis.vendors.toyerp.profile import ToyerpProfile


def _login(profile: ToyerpProfile, context: ConnectorContext) -> Login:
    connection, environ = profile.connection, context.environ
    address = literal(connection.base_url, environ)
    client_id, secret = literal(connection.client_id, environ), resolve(connection.client_secret, environ)
    return Login(
        base_url=address,
        auth=ClientCredentials(f"{address}/token", client_id, secret),
        request_id_header="x-request-id",
        reading={"read_error": read_error},
    )


def _build(opened: Account[ToyerpProfile]) -> OpenInstance:
    profile, client = opened.profile, ToyerpClient(opened.outbound)
    return OpenInstance(
        profile=profile,
        client=client,
        capabilities={"erp": ToyerpErp(client)},
        changes=sources(profile, client),
        steps=lambda: steps(profile, client),
    )


CONNECTOR = Connector(
    name="toyerp",
    title="Toy ERP",
    capabilities=("erp",),
    profile=ToyerpProfile,
    open=opening(_login, _build),
    canonical_id=canonical_id,
    key_length=20,
)
