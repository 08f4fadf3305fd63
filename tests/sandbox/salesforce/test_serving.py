"""The Salesforce stand-in as a server: ports, the environment it prints, and what outlives a restart."""

import asyncio
import socket
import ssl
from pathlib import Path

import httpx
import pytest
from joserfc.jwk import RSAKey

from sandbox.core.server import PortInUse, environment, serving
from sandbox.salesforce.proto import pubsub_api_pb2 as pb
from sandbox.salesforce.vendor import Salesforce
from tests.support.sandboxes import Account, Control

from .conftest import Api


def read_file(path: Path) -> tuple[str, int]:
    return path.read_text(), path.stat().st_mode


async def story_of(world, client) -> Account:
    found = (await client.get("/__control/accounts/story")).json()
    return Account(Control(client), world.base_url, "story", found["credentials"], found["env"], "salesforce")


async def test_state_outlives_a_restart(tmp_path, login, client, streams):
    """Records, sessions, keys and the event stream are there again after a restart."""
    async with (
        serving(Salesforce(), data=tmp_path, proxy_port=None) as world,
        httpx.AsyncClient(base_url=world.base_url, trust_env=False) as http,
    ):
        account = await story_of(world, http)
        form = {"grant_type": "client_credentials", "client_id": account.credentials["client_id"]}
        form["client_secret"] = account.credentials["client_secret"]
        token = (await http.post("/services/oauth2/token", data=form)).json()["access_token"]
        api = Api(http, token)
        deal = (await api.soql("SELECT Id, Amount FROM Opportunity WHERE Name LIKE 'Globex%'"))[0]
        await account.edit("Opportunity", deal["Id"], StageName="Closed Won")
        stream = await streams(account, token).open(replay_preset=pb.EARLIEST)
        [(place, _, _)] = await stream.read()
        await account.edit("Opportunity", deal["Id"], NextStep="after")
    async with (
        serving(Salesforce(), data=tmp_path, proxy_port=None) as world,
        httpx.AsyncClient(base_url=world.base_url, trust_env=False) as http,
    ):
        again = await story_of(world, http)
        assert again.credentials["private_key"] == account.credentials["private_key"]
        row = await Api(http, token).get(f"/sobjects/Opportunity/{deal['Id']}")
        assert (row["StageName"], row["Amount"]) == ("Closed Won", deal["Amount"])
        stream = await streams(again, token).open(replay_preset=pb.CUSTOM, replay_id=place)
        assert (await stream.one())["NextStep"] == "after"
        created = await Api(http, token).post("/sobjects/Account", {"Name": "Later"})
        assert created["id"] != deal["Id"]


async def test_what_is_printed_is_enough(tmp_path):
    """The environment names addresses, client, user, a key file and the gRPC endpoint."""
    async with serving(Salesforce(), data=tmp_path) as world:
        lines = environment(world)
        key, mode = await asyncio.to_thread(read_file, Path(lines["SALESFORCE_PRIVATE_KEY_FILE"]))
        assert RSAKey.import_key(key).is_private
        assert mode & 0o077 == 0
        assert lines["SALESFORCE_LOGIN_URL"] == lines["SALESFORCE_INSTANCE_URL"] == world.base_url
        assert lines["SALESFORCE_MY_DOMAIN_URL"] == "https://northbeam.my.salesforce.com"
        assert {"SALESFORCE_CLIENT_ID", "SALESFORCE_CLIENT_SECRET", "SALESFORCE_USERNAME"} <= set(lines)
        host, port = lines["SALESFORCE_PUBSUB_ENDPOINT"].split(":")
        with socket.create_connection((host, int(port)), 5):
            pass


async def test_the_vendors_own_host_through_the_proxy(tmp_path):
    """Behind TLS, login at the vendor's host answers with the org's own domain, where data is then served."""
    async with serving(Salesforce(), data=tmp_path) as world:
        known = environment(world)
        form = {"grant_type": "client_credentials", "client_id": known["SALESFORCE_CLIENT_ID"]}
        form["client_secret"] = known["SALESFORCE_CLIENT_SECRET"]
        async with httpx.AsyncClient(
            proxy=known["HTTPS_PROXY"],
            verify=ssl.create_default_context(cafile=known["SSL_CERT_FILE"]),
            trust_env=False,
        ) as https:
            host = known["SALESFORCE_MY_DOMAIN_URL"]
            body = (await https.post(f"{host}/services/oauth2/token", data=form)).json()
            assert body["instance_url"] == host
            headers = {"Authorization": f"Bearer {body['access_token']}"}
            answer = await https.get(f"{host}/services/data/v66.0/limits", headers=headers)
            assert answer.json()["DailyApiRequests"]["Max"] == 15000


async def test_a_taken_grpc_port_is_told(tmp_path):
    """A gRPC port in use ends the start with one sentence."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(PortInUse, match=f"Port {port} is in use"):
            async with serving(Salesforce(port), data=tmp_path, proxy_port=None):
                pass
