"""system_apis: the connector of Toy PSA."""

from kit.http import ClientCredentials
from kit.secrets import literal, resolve
from system_apis.connector import Account, Connector, ConnectorContext, Login, OpenInstance, opening
from system_apis.connector.jobs import Jobs
from system_apis.vendors.toypsa.adapter.psa import ToypsaPsa
from system_apis.vendors.toypsa.changes import sources
from system_apis.vendors.toypsa.check import steps
from system_apis.vendors.toypsa.client import ToypsaClient
from system_apis.vendors.toypsa.client.errors import read_error
from system_apis.vendors.toypsa.mapping import canonical_id
from system_apis.vendors.toypsa.profile import ToypsaProfile


def _login(profile: ToypsaProfile, context: ConnectorContext) -> Login:
    connection, environ = profile.connection, context.environ
    address = literal(connection.base_url, environ)
    client_id, secret = literal(connection.client_id, environ), resolve(connection.client_secret, environ)
    return Login(
        base_url=address,
        auth=ClientCredentials(f"{address}/token", client_id, secret),
        request_id_header="x-request-id",
        reading={"read_error": read_error},
    )


def _build(opened: Account[ToypsaProfile]) -> OpenInstance:
    profile, client = opened.profile, ToypsaClient(opened.outbound)
    settle = profile.connection.settle_seconds
    jobs = Jobs(profile.name, opened.context.database, client.is_done, settle_seconds=settle)
    return OpenInstance(
        profile=profile,
        client=client,
        capabilities={"psa": ToypsaPsa(client, jobs)},
        changes=sources(profile, client),
        steps=lambda: steps(profile, client),
    )


CONNECTOR = Connector(
    name="toypsa",
    title="Toy PSA",
    capabilities=("psa",),
    profile=ToypsaProfile,
    open=opening(_login, _build),
    canonical_id=canonical_id,
    answers_later=True,
)
