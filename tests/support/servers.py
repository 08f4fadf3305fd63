"""tests/support: one PostgreSQL and one Valkey for the whole run, and a database for whoever asks."""

from pathlib import Path

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from deploy.embedded import Embedded

TEMPLATE = "enfilade_tpl"


class Servers:
    """Started when first asked for, by the process that leads the run, and stopped with it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._embedded: Embedded | None = None

    def addresses(self) -> dict[str, str]:
        if self._embedded is None:
            self._embedded = Embedded(self._folder, durable=False).start()
            _make_template(self._embedded.database_url)
        return {"database_url": self._embedded.database_url, "cache_url": self._embedded.cache_url}

    def stop(self) -> None:
        if self._embedded is not None:
            self._embedded.stop()


def prepare_template(url: str) -> None:
    """Give the database that all others are copied from every table: kit's and the tiers'."""
    from kit.database import migrate  # noqa: PLC0415 slow to import, and only the leading process needs it

    tiers = [str(folder) for folder in Path(__file__).parents[2].glob("*/migrations")]
    migrate(url, *tiers)


def create_database(server_url: str, name: str) -> str:
    """A new database of that name, copied from the template; its address."""
    with _connect(server_url) as connection:
        names = sql.Identifier(name), sql.Identifier(TEMPLATE)
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(*names))
    return database_url(server_url, name)


def create_empty_database(server_url: str, name: str) -> str:
    """A new database of that name without a table; its address."""
    with _connect(server_url) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return database_url(server_url, name)


def drop_database(server_url: str, name: str) -> None:
    with _connect(server_url) as connection:
        connection.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def database_url(server_url: str, name: str) -> str:
    return make_url(server_url).set(database=name).render_as_string(hide_password=False)


def _make_template(server_url: str) -> None:
    with _connect(server_url) as connection:
        name = sql.Identifier(TEMPLATE)
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
        prepare_template(database_url(server_url, TEMPLATE))
        # A database with visitors cannot be copied.
        connection.execute(sql.SQL("ALTER DATABASE {} WITH ALLOW_CONNECTIONS false").format(name))
        gone = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s"
        connection.execute(gone, [TEMPLATE])


def _connect(server_url: str) -> psycopg.Connection:
    address = make_url(server_url)
    return psycopg.connect(
        host=str(address.query["host"]),
        port=str(address.query["port"]),
        user=address.username,
        dbname="postgres",
        autocommit=True,
    )
