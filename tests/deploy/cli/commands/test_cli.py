"""The command teaches, refuses in one sentence, and minds a closed pipe."""

import argparse
import importlib
import shutil
import socket
import subprocess
from importlib import metadata
from pathlib import Path

import msgspec
import pytest

from deploy.cli.main import COMMANDS, main
from deploy.composition.assemble import assemble
from deploy.composition.checking import start_faults
from deploy.settings import DEMO_CONFIG, read_settings
from tests.deploy.cli.commands.conftest import COMMAND, Place, environment, run
from tests.support.processes import ROOT


def test_the_command_alone_lists_what_it_can_do() -> None:
    """Without a command one sees all of them, each with a sentence."""
    outcome = run()
    assert outcome.status == 0
    assert all(name in outcome.out for name in COMMANDS)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself(name: str) -> None:
    """Help of a command shows what it does, examples and exit statuses."""
    outcome = run(name, "--help")
    assert outcome.status == 0
    assert "examples:" in outcome.out
    assert "exit statuses" in outcome.out
    assert f"enfilade {name}" in outcome.out


def test_an_unknown_command_is_misuse() -> None:
    """What there is not is answered with status 2 and what there is."""
    outcome = run("dance")
    assert outcome.status == 2
    assert "up" in outcome.err


@pytest.mark.parametrize(
    ("command", "meant"),
    [
        ("exeptions list", "exceptions"),
        ("exceptions lst", "list"),
        ("exceptions list --statsu all", "--status"),
    ],
)
def test_a_slip_of_the_pen_is_met_with_what_was_meant(
    command: str, meant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of a command, an action and an option."""
    assert main(command.split()) == 2
    assert f"did you mean '{meant}'?" in capsys.readouterr().err


def test_the_version_is_the_installations(capsys: pytest.CaptureFixture[str]) -> None:
    """It is the package's, as a bug report needs it."""
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"enfilade {metadata.version('enfilade')}\n"


@pytest.mark.parametrize(
    ("command", "refused"),
    [
        ("exceptions list exc_1", "takes no ID"),
        ("exceptions --alike", "takes no --alike"),
        ("views list projects", "takes no NAME"),
        ("issuer keys foo", "takes no CONSUMER"),
        ("instance check acme --remove", "takes no --remove"),
        ("audit verify --since 2026-11-01", "takes no --since"),
        ("policy check . --as ci", "takes no --as"),
        ("contracts freeze --data x", "takes no --data"),
    ],
)
def test_what_only_another_action_takes_is_refused(
    command: str, refused: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the usage of the action that was chosen, which names no argument of another."""
    assert main(command.split()) == 2
    usage, _, error = capsys.readouterr().err.partition("error: ")
    assert error.strip() == refused
    assert refused.removeprefix("takes no ") not in usage


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_of_an_action_exists(name: str) -> None:
    """A command with actions says which arguments each takes, by the names that they have."""
    module = importlib.import_module(f"deploy.cli.commands.{name}")
    parser = Recording()
    module.configure(parser)
    actions = [each for each in parser.made if each.choices and not each.option_strings]
    if not actions or len(list(actions[0].choices or ())) == 1 or name == "sandbox":
        return
    assert set(module.TAKES) == set(actions[0].choices or ())
    assert set(" ".join(module.TAKES.values()).split()) <= {each.dest for each in parser.made}


class Recording(argparse.ArgumentParser):
    """A parser that shows its arguments."""

    @property
    def made(self) -> list[argparse.Action]:
        return self._actions


def test_an_instant_may_be_a_date(capsys: pytest.CaptureFixture[str]) -> None:
    """What is neither is refused with both forms."""
    assert main(["audit", "list", "--since", "2026-11-01", "--url", "http://127.0.0.1:1"]) == 1
    assert main(["audit", "list", "--since", "2026-11-01T10:00"]) == 2
    assert "(2026-11-01, in UTC)" in capsys.readouterr().err


def test_a_backup_that_does_not_exist_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """There is no file: nothing is said of what it has in it."""
    assert main(["restore", str(tmp_path / "nope"), "--data", str(tmp_path / "data")]) == 1
    assert capsys.readouterr().err == f"There is no file {tmp_path / 'nope'}.\n"


def test_a_closed_pipe_is_no_fault() -> None:
    """A reader that has had enough makes no traceback."""
    first, second = subprocess.PIPE, subprocess.PIPE
    with subprocess.Popen(
        [*COMMAND, "trace", "--help"], cwd=ROOT, env=environment(), stdout=first, stderr=second
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_all_settings_faults_are_told_at_once(tmp_path: Path) -> None:
    """Each wrong variable is a line, with what is allowed, and the status is 2."""
    wrong = {"ENFILADE_ROLE": "king", "ENFILADE_WORKERS": "-1", "ENFILADE_PORT": "99999"}
    outcome = run("serve", **wrong, ENFILADE_DATA_DIR=str(tmp_path))
    assert outcome.status == 2
    assert "ENFILADE_DATABASE_URL is not set" in outcome.err
    assert "allowed are all, api, worker" in outcome.err
    assert "ENFILADE_WORKERS: Expected `int` >= 1" in outcome.err
    assert "ENFILADE_PORT: Expected `int` <= 65535" in outcome.err


def test_up_refuses_a_broken_configuration_before_it_starts_anything(place: Place, tmp_path: Path) -> None:
    """Faults in two files are told together with status 2, and nothing was started."""
    config = tmp_path / "config"
    for source in DEMO_CONFIG.rglob("*.toml"):
        target = config / source.relative_to(DEMO_CONFIG)
        target.parent.mkdir(parents=True, exist_ok=True)
        text = source.read_text().replace("max_depth = 32", 'max_depth = "deep"')
        target.write_text(text.replace('instance = "kantata-main"\n', 'instance = "nowhere"\n'))
    outcome = run("up", *place.options, ENFILADE_CONFIG=str(config))
    assert outcome.status == 2
    assert "max_depth" in outcome.err
    assert "nowhere does not serve psa" in outcome.err
    assert not (place.data / "postgresql").exists()


def test_up_refuses_a_port_in_use(place: Place) -> None:
    """One sentence names the port and the option, and the status is 1."""
    with socket.create_server(("127.0.0.1", place.port)):
        outcome = run("up", *place.options)
    assert outcome.status == 1
    assert f"Port {place.port} is in use (--port)" in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1


def test_up_refuses_an_internal_port_that_a_sandbox_has(place: Place) -> None:
    """One sentence names the port and both settings, though nothing listens there yet."""
    port = int(place.options[place.options.index("--sandbox-port") + 1]) + 2
    outcome = run("up", *place.options, ENFILADE_INTERNAL_ADDRESS=f"127.0.0.1:{port}")
    assert outcome.status == 1
    assert f"Port {port} is wanted by --sandbox-port and ENFILADE_INTERNAL_ADDRESS" in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1


def test_serve_says_that_the_database_is_away() -> None:
    """A database that does not answer is one sentence with what to do, and status 1."""
    outcome = run("serve", ENFILADE_DATABASE_URL="postgresql+psycopg://nobody@127.0.0.1:1/none")
    assert outcome.status == 1
    assert "ENFILADE_DATABASE_URL" in outcome.err
    assert len(outcome.err.strip().splitlines()) == 1


def test_an_unknown_consumer_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    """A token is given to consumers of the file only, and the sentence lists them."""
    outcome = run("token", "--as", "stranger", "--data", str(tmp_path))
    assert outcome.status == 2
    assert "crm-screen" in outcome.err


def test_a_scope_that_a_consumer_lacks_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """No token is printed, and the consumer's scopes are named; one of them alone makes a token."""
    command = ["token", "--as", "crm-screen", "--data", str(tmp_path), "--scope"]
    assert main([*command, "nope"]) == 2
    refused = capsys.readouterr()
    assert (refused.out, refused.err.startswith("crm-screen has no scope nope; it has: ")) == ("", True)
    assert main([*command, refused.err.split("it has: ")[1].split(",")[0].strip(". \n")]) == 0


def test_people_are_listed_with_their_roles(tmp_path: Path) -> None:
    """A person without a role has a name only."""
    lines = run("token", "--list", "--data", str(tmp_path)).out.splitlines()
    assert any(line.endswith("Fiona Finch, finance") for line in lines)
    assert any(line.endswith("Elena Ekberg") for line in lines)


def test_a_file_of_anchors_that_is_not_there_is_named(tmp_path: Path) -> None:
    """The reason is the system's, not one about the file's content."""
    anchors = tmp_path / "anchors.jsonl"
    outcome = run("audit", "verify", "--anchors", str(anchors), "--data", str(tmp_path))
    assert outcome.status == 2
    assert outcome.err == f"{anchors} cannot be read (No such file or directory).\n"


def test_tokens_come_from_the_data_folder(tmp_path: Path) -> None:
    """A token of a known consumer is three parts, and two folders have two keys."""
    tokens = {run("token", "--as", "ci", "--data", str(tmp_path / name)).out.strip() for name in ("a", "b")}
    assert len(tokens) == 2
    assert all(token.count(".") == 2 for token in tokens)


@pytest.mark.parametrize("command", [("demo",), ("trace", "cor_x"), ("exceptions",), ("instance", "hooks")])
def test_commands_that_need_a_stack_say_how_to_start_one(command: tuple[str, ...], tmp_path: Path) -> None:
    """Without a running stack they end with status 1 and name `enfilade up`."""
    outcome = run(*command, "--data", str(tmp_path), ENFILADE_PORT="1")
    assert outcome.status == 1
    assert "enfilade up" in outcome.err


@pytest.mark.parametrize(
    "command", [("create",), ("revoke",), ("revoke-token", "jti"), ("revoke-person", "--reason", "left")]
)
def test_a_change_of_keys_says_what_and_why(command: tuple[str, ...]) -> None:
    """A name is needed, and for tokens a reason: else it was asked for wrongly."""
    assert run("keys", *command).status == 2


def test_down_is_content_when_nothing_runs(tmp_path: Path) -> None:
    """Stopping nothing is well."""
    assert run("down", "--data", str(tmp_path)).status == 0


def test_the_doctor_names_what_is_wrong(tmp_path: Path) -> None:
    """A port in use and a fault of the configuration each get a line with how to mend it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        outcome = run("doctor", "--port", str(port), "--data", str(tmp_path), ENFILADE_CONFIG=str(tmp_path))
    assert outcome.status == 1
    assert f"port {port}" in outcome.out
    assert "is in use" in outcome.out
    assert "routing.toml" in outcome.out
    wrong = {"ENFILADE_DATABASE_URL": "x", "ENFILADE_INTERNAL_KEY": "env:NOWHERE"}
    outcome = run("doctor", "--data", str(tmp_path), ENFILADE_CONFIG=str(tmp_path), **wrong)
    assert all(fault in outcome.out for fault in (*wrong, "routing.toml")), "of variables and files together"


def test_the_doctor_survives_profiles_that_are_not_there(tmp_path: Path) -> None:
    """A link that leads nowhere (the demo's profiles are links) is a finding, no traceback."""
    config = Path(shutil.copytree(DEMO_CONFIG, tmp_path / "config", symlinks=True))
    outcome = run("doctor", "--port", "0", "--data", str(tmp_path / "data"), ENFILADE_CONFIG=str(config))
    assert outcome.status == 1
    assert outcome.err == ""
    assert "salesforce-main" in outcome.out


def test_duties_that_one_may_not_hold_together_are_shown_and_refused(tmp_path: Path) -> None:
    """The demo's matrix is in order; who is granted both of a pair is named, and nothing starts."""
    assert "finance-desk" in run("duties").out
    config = tmp_path / "config"
    shutil.copytree(DEMO_CONFIG, config)
    consumers = config / "consumers.toml"
    granted = '"process.customer-master.approve",'
    both = consumers.read_text().replace(granted, f'{granted} "process.customer-master.write",')
    consumers.write_text(both)
    told = "consumers.finance-desk: holds request-customer and approve-customer"
    shown = run("duties", "--json", ENFILADE_CONFIG=str(config))
    assert shown.status == 1
    assert told in msgspec.json.decode(shown.out)["faults"][0]
    refused = run("up", "--data", str(tmp_path / "data"), ENFILADE_CONFIG=str(config))
    assert refused.status == 2
    assert told in refused.err


def test_a_check_without_the_sandboxes_names_what_starts_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their credentials are nowhere else: no profile and no variable is to be corrected."""
    monkeypatch.setenv("COLUMNS", "400")
    assert main(["instance", "check", "kantata-main", "--data", str(tmp_path)]) == 1
    assert "start `enfilade up`" in capsys.readouterr().out


def test_a_broken_instance_is_a_finding(tmp_path: Path) -> None:
    """Every unset variable, a bad profile and a silent account are told together, in sentences."""
    config = Path(shutil.copytree(DEMO_CONFIG, tmp_path / "config"))
    profile = config / "instances/netsuite-main.toml"
    profile.write_text(profile.read_text().replace("poll_seconds = 5", "poll_seconds = -5"))
    known = {"KANTATA_BASE_URL": "http://127.0.0.1:1", "KANTATA_TOKEN": "t", "COLUMNS": "400"}
    more = {"ENFILADE_CONFIG": str(config), **known}
    folder = ("--data", str(tmp_path / "data"))
    for command in (("instance", "check", "--all"), ("doctor", "--port", "0")):
        outcome = run(*command, *folder, **more)
        assert outcome.status == 1
        assert outcome.err == ""
        # A table breaks long cells: what is looked for stands at the beginning of one, or is short.
        for said in ("SALESFORCE_CLIENT_ID", "SALESFORCE_USERNAME", "netsuite-main", "did not answer"):
            assert said.replace(" ", "") in "".join(outcome.out.split())
    assert (
        start_faults({"ENFILADE_DATABASE_URL": "postgresql+psycopg://nobody@127.0.0.1:1/none", **more}) == []
    )


async def test_a_deployment_with_a_broken_instance_serves(fresh_database_url: str, tmp_path: Path) -> None:
    """What is missing for one account keeps the tier from nothing else."""
    environ = {
        "ENFILADE_DATABASE_URL": fresh_database_url,
        "ENFILADE_DATA_DIR": str(tmp_path),
        "ENFILADE_TIERS": "system",
        "ENFILADE_ROLE": "api",
        "ENFILADE_INTERNAL_KEY": "env:INTERNAL",
        "INTERNAL": "0123456789abcdef" * 4,
        "KANTATA_BASE_URL": "http://127.0.0.1:1",
        "KANTATA_TOKEN": "t",
    }
    async with assemble(read_settings(environ), environ) as deployment:
        opened = {name: bool(one.opened.changes) for name, one in deployment.tiers.instances.items()}
    assert opened == {"kantata-main": True, "netsuite-main": False, "salesforce-main": False}
