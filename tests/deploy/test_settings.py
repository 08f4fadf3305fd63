"""tests/deploy: the settings of a process, where a wrong one would cost more than a start."""

from pathlib import Path

import pytest

from deploy.composition.assemble import master_keys
from deploy.process.stack import has_database, settings_beside
from deploy.settings import read_settings

URL = {"ENFILADE_DATABASE_URL": "postgresql+psycopg:///none"}


def test_development_keeps_a_master_key_of_its_own(tmp_path: Path) -> None:
    """Made once, readable by its owner only, the same for all on the folder; a named one is used instead."""
    settings = read_settings({**URL, "ENFILADE_DATA_DIR": str(tmp_path)})
    first, second = (master_keys(settings, {}).fingerprint for _ in range(2))
    assert first == second
    (kept,) = (tmp_path / "keys").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    named = read_settings({**URL, "ENFILADE_MASTER_KEY": "env:KEY"})
    assert master_keys(named, {"KEY": kept.read_text()}).fingerprint == first


@pytest.mark.parametrize(
    ("notice", "drain", "least"), [("1", "15", 17), ("0", "60", 61), ("30", "3600", 3631)]
)
def test_who_starts_a_server_lets_it_finish_what_it_may(notice: str, drain: str, least: float) -> None:
    """The time to stop has the notice, the last second and the whole time for pending requests."""
    variables = {"ENFILADE_DRAIN_NOTICE_SECONDS": notice, "ENFILADE_DRAIN_SECONDS": drain}
    assert least < read_settings({**URL, **variables}).stop_seconds < least + 10


def test_this_machine_reaches_the_gateway_where_it_listens() -> None:
    """The public address is the callers': a name of theirs, behind a proxy that may not run yet."""
    environ = {
        "ENFILADE_DATABASE_URL": "postgresql://x",
        "ENFILADE_HOST": "::1",
        "ENFILADE_PORT": "8081",
        "ENFILADE_PUBLIC_URL": "https://api.example.com/gw/",
    }
    settings = read_settings(environ)
    assert settings.own_address == "http://[::1]:8081"
    assert settings.address == "https://api.example.com/gw"


@pytest.mark.parametrize(
    ("environ", "database", "cache", "port"),
    [
        (
            {"DATABASE_URL": "postgres://u:p@h/d", "REDIS_URL": "redis://h", "PORT": "5000"},
            "postgresql://u:p@h/d",
            "redis://h",
            5000,
        ),
        ({**URL, "DATABASE_URL": "postgres://h/other", "PORT": ""}, URL["ENFILADE_DATABASE_URL"], "", 8080),
        ({"ENFILADE_DATABASE_URL": "postgres://h/d"}, "postgresql://h/d", "", 8080),
    ],
)
def test_the_variables_that_platforms_set_are_read(
    environ: dict[str, str], database: str, cache: str, port: int
) -> None:
    """Each in the place of ours, where that is not set; PostgreSQL's older scheme is read as the newer."""
    settings = read_settings(environ)
    assert (settings.database_url, settings.cache_url, settings.port) == (database, cache, port)


def test_commands_use_a_platforms_database(tmp_path: Path) -> None:
    """Where no stack runs on the folder and none of ours is named."""
    assert settings_beside(tmp_path, {"DATABASE_URL": "postgres://h/d"}).database_url == "postgresql://h/d"
    assert not has_database(settings_beside(tmp_path, {}))
