"""The whole deployment by one command: the demo held at the vendors, and everything started ends with it."""

import asyncio
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from deploy.demo.cast import cast_with
from deploy.demo.consoles import open_consoles
from deploy.process.stack import running as stack_of
from tests.deploy.cli.commands.conftest import Place, Running, deployment_ports, run, up

pytestmark = pytest.mark.xdist_group("up")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A deployment that has played the demo once, for all tests of the module."""
    with up(Place(tmp_path_factory.mktemp("up") / "data", *deployment_ports())) as running:
        yield running


def data(deployment: Running) -> tuple[str, str]:
    return "--data", str(deployment.place.data)


def correlation_id(text: str) -> str:
    return re.findall(r"correlation id +(cor_[0-9a-z]+)", text)[-1]


def test_a_start_closes_a_deal(deployment: Running) -> None:
    """The first open opportunity is closed, and all that follows holds at the vendors."""
    assert "Globex data platform" in deployment.output
    assert "✗" not in deployment.output
    assert deployment.output.count("✓   NetSuite") == 4


@pytest.mark.whole
def test_a_second_start_closes_another_deal(place: Place) -> None:
    """The data was kept by a start that ended by itself, so the next open opportunity is closed."""
    outcome = run("up", "--once", *place.options)
    assert outcome.status == 0, outcome.out + outcome.err
    assert "Globex data platform" in outcome.out
    with up(place) as running:
        assert "Initech cloud migration" in running.output
        assert "✗" not in running.output
        assert running.output.count("✓   NetSuite") == 4


def test_the_printed_calls_work(deployment: Running) -> None:
    """One curl per tier, with the printed tokens, answers 200."""
    shell = dict(re.findall(r"^([A-Z_]+)=(eyJ\S+)$", deployment.output, re.MULTILINE))
    calls = re.findall(r'^curl -H "Authorization: Bearer \$(\w+)" "(\S+)"$', deployment.output, re.MULTILINE)
    assert len(calls) == 3
    for name, url in calls:
        answer = httpx.get(url, headers={"Authorization": f"Bearer {shell[name]}"}, trust_env=False)
        assert answer.status_code == 200, answer.text


def test_one_folder_has_one_stack(deployment: Running) -> None:
    """A second `up` on the folder is refused in one sentence that names the process."""
    outcome = run("up", "--once", *Place(deployment.place.data, *deployment_ports()).options)
    assert outcome.status == 1
    assert f"process {deployment.process.pid}" in outcome.err


def test_a_trace_shows_the_vendors_request_ids(deployment: Running) -> None:
    """The path has inbox, run, steps, vendor calls with the vendor's id, ledger and events, in time order."""
    outcome = run("trace", correlation_id(deployment.output), "--json", *data(deployment))
    assert outcome.status == 0, outcome.err
    moments = json.loads(outcome.out)
    kinds = {moment["kind"] for moment in moments}
    assert {"inbox", "run", "step", "vendor call", "ledger", "event"} <= kinds
    assert all(moment["reference"] for moment in moments if moment["kind"] == "vendor call")
    assert [moment["at"] for moment in moments] == sorted(moment["at"] for moment in moments)


def test_a_trace_is_found_by_the_activations_id(deployment: Running) -> None:
    """An activation's id stands for its correlation id."""
    activation = re.findall(r"activation +(act_\S+)", deployment.output)[-1]
    outcome = run("trace", activation, *data(deployment))
    assert outcome.status == 0
    assert correlation_id(deployment.output) in outcome.out


def test_every_instance_is_as_its_profile_says(deployment: Running) -> None:
    """The three accounts of the demo pass their check."""
    outcome = run("instance", "check", "--all", *data(deployment))
    assert outcome.status == 0, outcome.out + outcome.err
    assert "Change Data Capture" in outcome.out


def test_the_doctor_finds_nothing(deployment: Running) -> None:
    """A running stack is well in every respect."""
    outcome = run("doctor", *data(deployment))
    assert outcome.status == 0, outcome.out


async def win(deployment: Running, name: str) -> str:
    """A salesperson wins a deal in the CRM's screens; its id."""
    stack = stack_of(deployment.place.data)
    assert stack is not None
    async with httpx.AsyncClient(trust_env=False) as http:
        crm = cast_with(Path(stack.config), open_consoles(stack.sandboxes, http)).crm.console
        (deal,) = [one for one in await crm.deals() if one.name == name]
        await crm.edit_deal(deal.id, stage="won")
    return deal.id


def test_a_case_is_listed_read_and_resolved(deployment: Running) -> None:
    """A deal that lacks everything becomes an exception that a person reads and undoes by command."""
    deal_id = asyncio.run(win(deployment, "Wayne discovery"))
    deadline = time.monotonic() + 60
    while not (cases := json.loads(run("exceptions", "--json", *data(deployment)).out)):
        assert time.monotonic() < deadline
    [case] = [case for case in cases if deal_id in case["subject"]]
    identity = case["id"]
    shown = run("exceptions", "show", identity, *data(deployment))
    assert "Service line is empty" in shown.out
    given = ("--action", "undo", "--reason", "Sold by mistake", *data(deployment))
    sold = run("exceptions", "resolve", identity, "--as", "sofia.marsh", *given)
    assert (sold.status, "Who has: fiona.finance, omar.ops" in sold.err) == (1, True)
    resolved = run("exceptions", "resolve", identity, "--as", "omar.ops", *given)
    assert resolved.status == 0, resolved.err
    assert "by omar.ops" in resolved.out
    again = run("exceptions", "resolve", identity, "--as", "fiona.finance", *given)
    assert again.status == 1
    assert "already_decided" in again.err


def test_a_key_is_made_used_listed_and_revoked(deployment: Running) -> None:
    """The printed key reads what its consumer may read, and within seconds of its end it does not."""
    made = run("keys", "create", "executive", "--title", "nightly report", "--days", "30", *data(deployment))
    assert made.status == 0, made.err
    text = made.out.splitlines()[0]
    [key_id] = re.findall(r"key_[0-9a-z]+", made.out)
    assert _status_of(deployment, text) == 200
    listed = run("keys", "list", "executive", *data(deployment))
    assert (text[:17] in listed.out, text in listed.out, "nightly" in listed.out) == (True, False, True)
    assert run("keys", "revoke", key_id, *data(deployment)).status == 0
    deadline = time.monotonic() + 10
    while _status_of(deployment, text) != 401:
        assert time.monotonic() < deadline
    [kept] = json.loads(run("keys", "list", "executive", "--json", *data(deployment)).out)
    assert (kept["holds"], kept["revoked_by"]) == (False, "petra.platform")


def test_a_persons_tokens_are_revoked(deployment: Running) -> None:
    """Who left the firm is not believed any more, and the list says why."""
    token = run("token", "--as", "executive", "--subject", "eve.left", *data(deployment)).out.strip()
    assert _status_of(deployment, token) == 200
    done = run("keys", "revoke-person", "eve.left", "--reason", "left the firm", *data(deployment))
    assert done.status == 0, done.err
    deadline = time.monotonic() + 10
    while _status_of(deployment, token) != 401:
        assert time.monotonic() < deadline
    assert "eve.left" in run("keys", "revocations", *data(deployment)).out


def _status_of(deployment: Running, credential: str) -> int:
    url = f"http://127.0.0.1:{deployment.place.port}/process/exceptions/v1/exceptions"
    headers = {"Authorization": f"Bearer {credential}"}
    return httpx.get(url, headers=headers, trust_env=False).status_code


def test_the_story_can_be_played_again(deployment: Running) -> None:
    """`enfilade demo` closes the next deal of the running stack and holds as well."""
    outcome = run("demo", *data(deployment))
    assert outcome.status == 0, outcome.out + outcome.err
    assert "Initech cloud migration" in outcome.out


def test_fresh_does_not_touch_a_running_stack(deployment: Running) -> None:
    """Wiping is refused while a deployment lives on the data."""
    outcome = run("up", "--fresh", "--once", *Place(deployment.place.data, *deployment_ports()).options)
    assert outcome.status == 1
    assert (deployment.place.data / "sandboxes").is_dir()


@pytest.mark.whole
def test_down_ends_everything_within_seconds(place: Place) -> None:
    """After `down` the launcher has ended with status 0, and no child of it is left."""
    with up(place, "--no-demo") as running:
        assert run("down", "--data", str(place.data)).status == 0
        assert running.process.wait(10) == 0
    assert not alive(place)


@pytest.mark.whole
@pytest.mark.parametrize("who", ["sandbox kantata", "deploy.cli.main serve", "bin/postgres", "valkey-server"])
def test_a_dead_child_ends_the_house_with_a_sentence(place: Place, who: str) -> None:
    """Whichever server dies, everything stops, one sentence says which, and the status is 1."""
    with up(place, "--no-demo") as running:
        [child, *_] = running.children(who)
        os.kill(child, signal.SIGKILL)
        assert running.process.wait(60) == 1
        assert "killed by signal 9" in running.output.splitlines()[-1]
    assert not alive(place)


@pytest.mark.whole
def test_a_killed_launcher_leaves_nobody_behind(place: Place) -> None:
    """SIGKILL of `up` takes all servers and workers with it, and the next start works."""
    with up(place, "--no-demo") as running:
        running.process.kill()
        running.process.wait()
        for _ in range(200):
            if not alive(place):
                break
        assert not alive(place)
    with up(place, "--no-demo") as running:
        assert running.end() == 0


def alive(place: Place) -> str:
    """The command lines that still speak of the place, or listen on its port."""
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    mine = [line for line in found.splitlines() if str(place.data) in line]
    with httpx.Client(trust_env=False) as http:
        try:
            http.get(f"http://127.0.0.1:{place.port}/health/live")
        except httpx.TransportError:
            return "\n".join(mine)
    return "\n".join([*mine, "the gateway"])
