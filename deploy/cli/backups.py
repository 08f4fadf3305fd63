"""deploy: one file that restores a deployment: the database as of one instant, and optionally the keys."""

import contextlib
import os
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from deploy.embedded import Embedded, EmbeddedError, wipe
from deploy.embedded.binaries import POSTGRESQL_MAJOR
from deploy.embedded.tools import restore_dump, run_tool
from deploy.errors import CommandError
from deploy.process.stack import has_database, lock_data, settings_beside
from deploy.settings import with_conventional
from kit import clock
from kit.database.refusals import sentence_of
from kit.privacy import DerivedKeys
from kit.secrets import Secret

OLDEST_POSTGRESQL = 15
"""The oldest server with which backup and restore are tested."""

_DUMP, _MANIFEST, _KEYS = "database.dump", "manifest.json", "keys"


class Manifest(msgspec.Struct, frozen=True):
    """The description of a backup; `master_key` is the fingerprint of the key under which it was written."""

    release: str
    at: str
    master_key: str
    with_keys: bool


def back_up(file: Path, folder: Path, environ: Mapping[str, str], *, with_keys: bool) -> Manifest:
    """Write the backup, of a running deployment too: it is one snapshot; raises CommandError."""
    with _working(file.parent) as place:
        with _database(folder, environ) as url:
            refuse_server(server_major(url))
            options = ("--format=custom", "--no-owner", "--no-privileges", "--file")
            with _tool_errors_reported():
                run_tool("pg_dump", url, *options, place / _DUMP)
            fingerprint = _fingerprint(url)
        manifest = Manifest(_release(), clock.now().isoformat(), fingerprint, with_keys)
        (place / _MANIFEST).write_bytes(msgspec.json.encode(manifest))
        unfinished = place / "backup"
        with tarfile.open(unfinished, "w") as archive:
            for name in (_MANIFEST, _DUMP):
                archive.add(place / name, name)
            if with_keys:
                archive.add(folder / _KEYS, _KEYS)
        unfinished.chmod(0o600)
        unfinished.rename(file)
    return manifest


def restore(file: Path, folder: Path, environ: Mapping[str, str], *, replace: bool) -> Manifest:
    """Bring the database back into a place without one, and the keys if the file has them.

    `replace` wipes the embedded database that is there; one of yours must be empty. Raises CommandError.
    """
    with _working(folder.parent) as place:
        manifest = _unpack(file, place)
        if elsewhere := with_conventional(environ).get("ENFILADE_DATABASE_URL"):
            _restore_database(elsewhere, place)
        else:
            with lock_data(folder):
                _clear_data(folder, replace=replace)
                with _embedded(folder) as url:
                    _restore_database(url, place)
        if manifest.with_keys:
            shutil.rmtree(folder / _KEYS, ignore_errors=True)
            shutil.copytree(place / _KEYS, folder / _KEYS)
    return manifest


def key_fault(manifest: Manifest, folder: Path, environ: Mapping[str, str]) -> str | None:
    """What a person must do about the master key before the deployment starts; None when it is there."""
    if environ.get("ENFILADE_MASTER_KEY"):
        return None
    path = folder / _KEYS / "master.key"
    if not path.exists():
        return f"Put its keys into {folder / _KEYS}, or name its master key by ENFILADE_MASTER_KEY."
    if manifest.master_key not in (
        "",
        DerivedKeys(Secret(path.read_text(encoding="utf-8").strip())).fingerprint,
    ):
        return f"{path} belongs to another deployment: put the right one there, nothing starts without it."
    return None


def refuse_server(major: int) -> None:
    """Raises CommandError for a version of PostgreSQL that backups do not support."""
    if not OLDEST_POSTGRESQL <= major <= POSTGRESQL_MAJOR:
        raise CommandError(
            f"The database is on PostgreSQL {major}; backups are made of, and restored into, "
            f"{OLDEST_POSTGRESQL} to {POSTGRESQL_MAJOR}. Nothing was changed: move to one of these, "
            "or use that version's own pg_dump."
        )


def server_major(url: str) -> int:
    """The major version of the server that answers there."""
    with _connected(url) as connection:
        return int(connection.execute(text("SHOW server_version_num")).scalar_one()) // 10_000


@contextlib.contextmanager
def _tool_errors_reported() -> Iterator[None]:
    """Raise EmbeddedError of the embedded servers and tools as CommandError."""
    try:
        yield
    except EmbeddedError as error:
        raise CommandError(str(error)) from None


@contextlib.contextmanager
def _working(beside: Path) -> Iterator[Path]:
    """A private folder on the disk where the result will be."""
    try:
        beside.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".enfilade-", dir=beside) as place:
            yield Path(place)
    except OSError as error:
        raise CommandError(f"{error.filename or beside} cannot be used ({error.strerror}).") from None


@contextlib.contextmanager
def _database(folder: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """The deployment's database: yours, the running stack's, or the embedded one, started for the while."""
    settings = settings_beside(folder, environ)
    if has_database(settings):
        yield settings.database_url
    elif (folder / "postgresql").is_dir():
        with lock_data(folder), _embedded(folder) as url:
            yield url
    else:
        raise CommandError(f"There is no database in {folder}: name another with --data, or its address.")


@contextlib.contextmanager
def _embedded(folder: Path) -> Iterator[str]:
    servers = Embedded(folder)
    with _tool_errors_reported():
        servers.start()
    try:
        yield servers.database_url
    finally:
        servers.stop()


def _clear_data(folder: Path, *, replace: bool) -> None:
    if not (folder / "postgresql").exists():
        return
    if not replace:
        raise CommandError(
            f"{folder} holds a database: give --replace to discard it, or name another folder."
        )
    with _tool_errors_reported():
        wipe(folder)


def _restore_database(url: str, place: Path) -> None:
    major = server_major(url)
    refuse_server(major)
    with _connected(url) as connection:
        known = "SELECT count(*) FROM pg_namespace WHERE nspname IN ('enfilade', 'dbos')"
        if connection.execute(text(known)).scalar():
            raise CommandError("The database is not empty: restore into a new one.")
    with _tool_errors_reported():
        restore_dump(url, place / _DUMP, major)


def _fingerprint(url: str) -> str:
    with _connected(url) as connection:
        query = "SELECT value FROM enfilade.cursors WHERE name = 'master-key'"
        return connection.execute(text(query)).scalar() or ""


@contextlib.contextmanager
def _connected(url: str):  # noqa: ANN202 - an iterator of a connection, as the decorator makes it
    engine = create_engine(url, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        sentence = sentence_of(error)
        if sentence is None:
            raise
        raise CommandError(sentence) from None
    finally:
        engine.dispose()


def _unpack(file: Path, place: Path) -> Manifest:
    """What the archive holds, written into the place; raises CommandError for one that we did not write."""
    if not file.exists():
        raise CommandError(f"There is no file {file}.")
    try:
        with tarfile.open(file) as archive:
            members = archive.getmembers()
            if all(_is_ours(member) for member in members):
                for member in members:
                    _extract(archive, member, place)
        manifest = msgspec.json.decode((place / _MANIFEST).read_bytes(), type=Manifest)
        if (place / _DUMP).is_file() and (place / _KEYS).is_dir() == manifest.with_keys:
            return manifest
    except (OSError, tarfile.TarError, msgspec.MsgspecError, EOFError):
        pass
    raise CommandError(f"{file} is no backup of a deployment.")


def _is_ours(member: tarfile.TarInfo) -> bool:
    """Whether a backup has such members: a file or folder inside it; no link, no device, no path outside."""
    parts = member.name.split("/")
    if not (member.isfile() or member.isdir()) or not {"", ".", ".."}.isdisjoint(parts):
        return False
    return member.name in (_MANIFEST, _DUMP) or parts[0] == _KEYS


def _extract(archive: tarfile.TarFile, member: tarfile.TarInfo, place: Path) -> None:
    # By hand: tarfile's own filters came with Python 3.11.4.
    target = place / member.name
    if member.isdir():
        target.mkdir(mode=0o700, exist_ok=True)
        return
    source = archive.extractfile(member)
    assert source is not None  # noqa: S101 - None for neither files nor folders only
    with source, os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as written:
        shutil.copyfileobj(source, written)


def _release() -> str:
    try:
        return version("enfilade")
    except PackageNotFoundError:
        return "unreleased"
