"""deploy: one file that brings the house's state back: the database as of one instant, the keys if asked."""

import contextlib
import shutil
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import msgspec
from sqlalchemy import NullPool, create_engine, text

from deploy.embedded import Embedded, EmbeddedError, wipe
from deploy.embedded.tools import run_tool
from deploy.errors import CommandError
from deploy.launching.stack import has_database, held, settings_beside
from kit import clock
from kit.privacy import Keys
from kit.secrets import Secret

_DUMP, _MANIFEST, _KEYS = "database.dump", "manifest.json", "keys"


class Manifest(msgspec.Struct, frozen=True):
    """What a backup says of itself; `master_key` is the fingerprint of the key under which it was written."""

    release: str
    at: str
    master_key: str
    with_keys: bool


def back_up(file: Path, folder: Path, environ: Mapping[str, str], *, with_keys: bool) -> Manifest:
    """Write the backup, of a running house too: it is one snapshot; raises CommandError."""
    with _working(file.parent) as place:
        with _database(folder, environ) as url:
            _run("pg_dump", url, "--format=custom", "--no-owner", "--no-privileges", "--file", place / _DUMP)
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
        if environ.get("ENFILADE_DATABASE_URL"):
            _bring_back(environ["ENFILADE_DATABASE_URL"], place)
        else:
            with held(folder):
                _make_room(folder, replace=replace)
                with _embedded(folder) as url:
                    _bring_back(url, place)
        if manifest.with_keys:
            shutil.rmtree(folder / _KEYS, ignore_errors=True)
            shutil.copytree(place / _KEYS, folder / _KEYS)
    return manifest


def key_fault(manifest: Manifest, folder: Path, environ: Mapping[str, str]) -> str | None:
    """What a person must do about the master key before the house starts; None when it is there."""
    if environ.get("ENFILADE_MASTER_KEY"):
        return None
    path = folder / _KEYS / "master.key"
    if not path.exists():
        return f"Put that house's keys into {folder / _KEYS}, or name its master key by ENFILADE_MASTER_KEY."
    if manifest.master_key not in ("", Keys(Secret(path.read_text(encoding="utf-8").strip())).fingerprint):
        return f"{path} is another house's: put that one's there, for without it the house does not start."
    return None


def _run(name: str, url: str, *arguments: str | Path) -> None:
    try:
        run_tool(name, url, *arguments)
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
    """The house's database: yours, the running stack's, or the embedded one, started for the while."""
    settings = settings_beside(folder, environ)
    if has_database(settings):
        yield settings.database_url
    elif (folder / "postgresql").is_dir():
        with held(folder), _embedded(folder) as url:
            yield url
    else:
        raise CommandError(f"There is no database in {folder}: name another with --data, or its address.")


@contextlib.contextmanager
def _embedded(folder: Path) -> Iterator[str]:
    servers = Embedded(folder)
    try:
        servers.start()
    except EmbeddedError as error:
        raise CommandError(str(error)) from None
    try:
        yield servers.database_url
    finally:
        servers.stop()


def _make_room(folder: Path, *, replace: bool) -> None:
    if not (folder / "postgresql").exists():
        return
    if not replace:
        raise CommandError(f"{folder} holds a database: say --replace to lose it, or name another folder.")
    try:
        wipe(folder)
    except EmbeddedError as error:
        raise CommandError(str(error)) from None


def _bring_back(url: str, place: Path) -> None:
    with _connected(url) as connection:
        known = "SELECT count(*) FROM pg_namespace WHERE nspname IN ('enfilade', 'dbos')"
        if connection.execute(text(known)).scalar():
            raise CommandError("The database is not empty: restore into a new one.")
    options = ("--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction")
    _run("pg_restore", url, *options, place / _DUMP)


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
    finally:
        engine.dispose()


def _unpack(file: Path, place: Path) -> Manifest:
    try:
        with tarfile.open(file) as archive:
            archive.extractall(place, filter="data")
        return msgspec.json.decode((place / _MANIFEST).read_bytes(), type=Manifest)
    except (OSError, tarfile.TarError, msgspec.MsgspecError):
        raise CommandError(f"{file} is no backup of a house.") from None


def _release() -> str:
    try:
        return version("enfilade")
    except PackageNotFoundError:
        return "unreleased"
