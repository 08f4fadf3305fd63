"""deploy/embedded: PostgreSQL's own programs beside the server: they dump a database and restore it."""

import os
import subprocess
from pathlib import Path

from sqlalchemy.engine import make_url

from deploy.embedded.binaries import postgresql_folder
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.identity import servers_identity


def run_tool(name: str, url: str, *arguments: str | Path) -> None:
    """Run `pg_dump`, `pg_restore` or `psql` against a database; raises EmbeddedError with its last words."""
    address = make_url(url)
    # A password on a command line is there for every user of the machine to read.
    secret = {"PGPASSWORD": str(address.password)} if address.password else {}
    plain = address.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    binary = postgresql_folder(servers_identity()) / name
    done = subprocess.run(
        [binary, "--dbname", plain, *arguments],
        check=False,
        env={**os.environ, **secret, "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        said = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise EmbeddedError(f"{name} did not succeed: {said}")
