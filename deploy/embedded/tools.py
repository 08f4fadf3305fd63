"""deploy/embedded: PostgreSQL's own programs beside the server: they dump a database and restore it."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from sqlalchemy.engine import make_url

from deploy.embedded.binaries import postgresql_folder
from deploy.embedded.errors import EmbeddedError
from deploy.embedded.identity import servers_identity

# Our pg_restore sets it first, and a server without that parameter refuses the whole dump.
_NEW_PARAMETER, _KNOWN_SINCE = b"SET transaction_timeout = 0;\n", 17
_DATA_FOLLOWS = b"COPY "
_WHOLE_OR_NOTHING = ("--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1")


@dataclass(frozen=True)
class _Tool:
    name: str
    process: "subprocess.Popen[bytes]"
    errors: IO[bytes]

    def finish(self) -> None:
        """Wait for its end; raises EmbeddedError with its whole error output when it failed."""
        if self.process.wait() == 0:
            return
        self.errors.seek(0)
        output = self.errors.read().decode("utf-8", "replace").strip() or "it wrote no message"
        raise EmbeddedError(f"{self.name} did not succeed: {output}")


def run_tool(name: str, url: str, *arguments: str | Path) -> None:
    """Run `pg_dump` or `psql` on a database; raises EmbeddedError with its whole error output."""
    with _started(name, url, *arguments) as tool:
        tool.finish()


def restore_dump(url: str, dump: Path, major: int) -> None:
    """Restore a dump into a database on a server of this major version, whole or not at all.

    Raises EmbeddedError with the error output of the tool that failed.
    """
    options = ("--no-owner", "--no-privileges", "--file=-")
    with (
        _started("pg_restore", None, *options, dump, stdout=subprocess.PIPE) as reader,
        _started("psql", url, *_WHOLE_OR_NOTHING, "--file=-", stdin=subprocess.PIPE) as writer,
    ):
        source, target = reader.process.stdout, writer.process.stdin
        assert source is not None  # noqa: S101 - both were opened as pipes
        assert target is not None  # noqa: S101
        with contextlib.suppress(BrokenPipeError):  # psql has exited; its error output has the reason
            _copy_head(source, target, without=_NEW_PARAMETER if major < _KNOWN_SINCE else None)
            shutil.copyfileobj(source, target)
            reader.finish()  # before psql commits what it has
            target.close()
        writer.finish()


def _copy_head(source: IO[bytes], target: IO[bytes], *, without: bytes | None) -> None:
    """Hand on everything before the first row of data, without that line."""
    for line in source:
        if line != without:
            target.write(line)
        if line.startswith(_DATA_FOLLOWS):
            return


@contextlib.contextmanager
def _started(
    name: str,
    url: str | None,
    *arguments: str | Path,
    stdin: int = subprocess.DEVNULL,
    stdout: int = subprocess.DEVNULL,
) -> Iterator[_Tool]:
    """A running tool, which does not outlive the block."""
    database, secret = _address(url) if url is not None else ((), {})
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            [postgresql_folder(servers_identity()) / name, *database, *arguments],
            env={**os.environ, **secret, "LC_ALL": "C.UTF-8"},
            stdin=stdin,
            stdout=stdout,
            stderr=errors,
        )
        try:
            yield _Tool(name, process, errors)
        finally:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout):
                with contextlib.suppress(BrokenPipeError):
                    if pipe is not None:
                        pipe.close()


def _address(url: str) -> tuple[tuple[str, str], dict[str, str]]:
    """The option that names a database, and its password apart: a command line is there for all to read."""
    address = make_url(url)
    secret = {"PGPASSWORD": str(address.password)} if address.password else {}
    plain = address.set(drivername="postgresql", password=None).render_as_string(hide_password=False)
    return ("--dbname", plain), secret
