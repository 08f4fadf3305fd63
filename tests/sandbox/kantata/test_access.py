"""Who may do what: OAuth, tokens, permissions, rate limits, spoiled calls."""

import httpx
import pytest

from sandbox.core.server import serving
from sandbox.kantata.vendor import Kantata

BACK = "https://client.example/back"


@pytest.fixture
def client(kantata_sandbox):
    return kantata_sandbox.control.client


def basics(account):
    return {
        "client_id": account.credentials["client_id"],
        "client_secret": account.credentials["client_secret"],
    }


async def ask_code(client, account, **query):
    wanted = {
        "response_type": "code",
        "client_id": account.credentials["client_id"],
        "redirect_uri": BACK,
        **query,
    }
    answer = await client.get("/oauth/authorize", params=wanted, follow_redirects=False)
    assert answer.status_code == 302
    return httpx.URL(answer.headers["location"]).params


async def test_a_code_is_good_once_and_for_five_minutes(account, client, as_user):
    """The token of a code works and never expires; the code is spent, or too late."""
    back = await ask_code(client, account, state="s1")
    assert back["state"] == "s1"
    form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": BACK, **basics(account)}
    granted = (await client.post("/oauth/token", data=form)).json()
    assert set(granted) == {"access_token", "token_type"}
    assert granted["token_type"] == "bearer"
    assert (await as_user(granted["access_token"]).get("/users/me"))["count"] == 1
    again = await client.post("/oauth/token", data=form)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    late = (await ask_code(client, account))["code"]
    await account.advance_clock(301)
    assert (await client.post("/oauth/token", data={**form, "code": late})).status_code == 400


async def test_a_person_may_deny(kantata_sandbox, client):
    """A denied request comes back with the error and no code."""
    account = await kantata_sandbox.create_account(oauth_consent="deny")
    assert (await ask_code(client, account))["error"] == "access_denied"


async def test_client_credentials_by_header_and_wrong_secrets(account, client):
    """The basic header is as good as the form; a wrong secret is 401 invalid_client."""
    pair = (account.credentials["client_id"], account.credentials["client_secret"])
    grant = {"grant_type": "client_credentials"}
    assert "access_token" in (await client.post("/oauth/token", data=grant, auth=pair)).json()
    wrong = await client.post("/oauth/token", data=grant, auth=(pair[0], "no"))
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    other = await client.post("/oauth/token", data={"grant_type": "password"}, auth=pair)
    assert other.json()["error"] == "unsupported_grant_type"


async def test_revocation_kills_a_token(account, api, client):
    """After revocation the token is inactive and every call is 401."""
    form = {**basics(account), "token": api.token}
    before = (await client.post("/oauth/introspect", data=form)).json()
    assert (before["active"], before["sub"]) == (True, "3711195")
    assert (await client.post("/oauth/revoke", data=form)).status_code == 200
    assert (await client.post("/oauth/introspect", data=form)).json() == {"active": False}
    assert (await api.refused("GET", "/users/me"))[0] == 401


async def test_discovery_names_the_endpoints(client):
    """The OpenID document lists token, revocation and introspection."""
    found = (await client.get("/.well-known/openid-configuration")).json()
    assert found["token_endpoint"].endswith("/oauth/token")
    assert "client_credentials" in found["grant_types_supported"]


async def test_api_and_oauth_live_on_different_hosts(api, client, account):
    """Under the vendor's own names each host serves its half only."""
    token = {"Authorization": f"Bearer {api.token}"}
    good = await client.get("/api/v1/users/me", headers={**token, "Host": "api.mavenlink.com"})
    assert good.status_code == 200
    wrong = await client.get("/api/v1/users/me", headers={**token, "Host": "app.mavenlink.com"})
    assert wrong.status_code == 401
    form = {"grant_type": "client_credentials", **basics(account)}
    refused = await client.post("/oauth/token", data=form, headers={"Host": "api.mavenlink.com"})
    assert refused.status_code == 401


async def test_the_oauth_server_bounds_each_address():
    """The fourth call of a minute from one address is refused when three are allowed."""
    async with (
        serving(Kantata(oauth_rate="3/minute"), proxy_port=None) as world,
        httpx.AsyncClient(base_url=world.base_url, trust_env=False) as client,
    ):
        asked = [(await client.post("/oauth/token", data={})).status_code for _ in range(4)]
    assert asked == [401, 401, 401, 429]


async def test_a_collaborator_sees_own_projects_without_money(account, api, as_user):
    """Foreign projects are hidden, and financial fields drop out or are ignored in silence."""
    other = as_user(account.credentials["collaborator_token"])
    await api.make("/workspaces", title="Hidden", budgeted=True, price=100)
    mine = await api.make(
        "/workspaces", title="Mine", budgeted=True, price=100, participations=[{"user_id": 3711197}]
    )
    seen = await other.rows("/workspaces")
    assert [row["title"] for row in seen] == ["Mine"]
    assert not {"price", "price_in_cents", "currency", "budget_used"} & set(seen[0])
    assert seen[0]["has_budget_access"] is False
    changed = await other.change(f"/workspaces/{mine['id']}", title="Still mine", price=1)
    assert changed["title"] == "Still mine"
    assert (await api.rows("/workspaces", only=mine["id"]))[0]["price"] == "$100"
    assert (await other.refused("POST", "/workspaces", {"workspace": {"title": "No"}}))[0] == 403
    assert (await other.refused("POST", "/roles", {"role": {"name": "No"}}))[0] == 403


async def test_a_project_lead_sees_money(account, api, as_user):
    """The lead named at creation has financial access to that project."""
    await api.make("/workspaces", title="Led", budgeted=True, price=100, primary_maven_id=3711196)
    lead = as_user(account.credentials["lead_token"])
    assert [row["price"] for row in await lead.rows("/workspaces")] == ["$100"]


async def test_a_full_bucket_refuses_without_a_hint(account, api):
    """429 has the vendor's body and neither Retry-After nor limit headers; other endpoints go on."""
    await account.set_limits(endpoints={"POST /workspaces": {"burst": 1, "per_second": 0}})
    await api.make("/workspaces", title="First")
    answer = await api.send("POST", "/workspaces", {"workspace": {"title": "Second"}})
    assert answer.status_code == 429
    assert answer.json()["errors"][0]["type"] == "system"
    assert not [name for name in answer.headers if "limit" in name or name == "retry-after"]
    assert len(await api.rows("/workspaces")) == 1
    await account.set_limits(**{"global": {"burst": 1, "per_second": 0}})
    await api.rows("/roles")
    assert (await api.refused("GET", "/roles"))[0] == 429


async def test_a_504_may_have_succeeded(account, api):
    """The fault after the effect leaves the project behind, to be found by its reference."""
    await account.add_fault({"status": 504, "when": "after"}, method="POST", path="/workspaces")
    reference = {"service_name": "psi", "service_model": "opportunity", "service_model_ref": "OPP-7"}
    wanted = {"workspace": {"title": "Doubtful", "external_reference": reference}}
    assert (await api.refused("POST", "/workspaces", wanted))[0] == 504
    found = await api.rows(
        "/workspaces", external_reference_service_name="psi", external_reference_service_model_refs="OPP-7"
    )
    assert [row["title"] for row in found] == ["Doubtful"]


async def test_the_log_names_the_person_and_never_the_token(account, api):
    """Calls are logged with principal and request id."""
    answer = await api.send("GET", "/roles")
    call = (await account.calls(path="/roles"))[0]
    assert call["auth"] == "ines.falk@northbeam.example"
    assert call["request_id"] == answer.headers["x-request-id"]
    assert api.token not in str(call)


async def test_fields_and_statuses_change_with_the_schema(account, api):
    """A custom field can be added, retyped and removed while clients look."""
    await account.change_schema({"object": "workspaces", "add_field": {"name": "Risk", "type": "number"}})
    field = (await api.rows("/custom_fields", search="risk"))[0]
    assert (field["value_type"], field["subject_type"]) == ("number", "Workspace")
    await account.change_schema({"object": "workspaces", "retype": {"name": "Risk", "value_type": "string"}})
    assert (await api.rows("/custom_fields", search="risk"))[0]["value_type"] == "string"
    await account.change_schema({"object": "workspaces", "remove_field": "Risk"})
    assert await api.rows("/custom_fields", search="risk") == []


async def test_a_restart_remembers(tmp_path):
    """What was written is there after a second start on the same folder, and so are the tokens."""
    found = []
    for _ in range(2):
        async with (
            serving(Kantata(), proxy_port=None, data=tmp_path) as world,
            httpx.AsyncClient(base_url=world.base_url, trust_env=False) as client,
        ):
            headers = {"Authorization": f"Bearer {world.get('story').secret('administrator token')}"}
            body = {"workspace": {"title": "Kept", "budgeted": True, "price": 10}}
            await client.post("/api/v1/workspaces", json=body, headers=headers)
            found.append((await client.get("/api/v1/workspaces", headers=headers)).json()["count"])
    assert found == [1, 2]


async def test_the_same_seed_gives_the_same_ids(kantata_sandbox, as_user):
    """Two accounts of one seed agree on ids; another seed does not."""

    async def first_id(seed):
        account = await kantata_sandbox.create_account(seed=seed)
        made = await as_user(account.credentials["token"]).make("/workspaces", title="Same")
        return made["id"]

    assert await first_id(1) == await first_id(1) == "3467375"
    assert await first_id(2) != "3467375"


async def test_an_empty_account_has_only_its_administrator(kantata_sandbox, as_user):
    """Setting `empty` leaves people, roles, templates and fields out."""
    account = await kantata_sandbox.create_account(empty=True)
    api = as_user(account.credentials["token"])
    assert len(await api.rows("/users")) == 1
    assert await api.rows("/project_tracker_templates") == []
    assert (await api.make("/workspaces", title="Bare"))["status"]["key"] == 300
