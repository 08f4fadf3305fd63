"""deploy/embedded: the user that the servers run as, and the files that it can reach."""

import os
import pwd
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

# A socket's address has 107 bytes; the longest name inside the folder is ".s.PGSQL.65535.lock".
_LONGEST_SOCKET_FOLDER = 107 - len("/.s.PGSQL.65535.lock")


@dataclass(frozen=True)
class ServerUser:
    """The servers' user: our own, or `nobody` when we are root, as which PostgreSQL refuses to run."""

    uid: int
    gid: int
    is_other: bool

    def can_reach(self, path: Path) -> bool:
        """Whether the servers' user may pass through every folder above `path` and read `path` itself."""
        if not self.is_other:
            return True
        real = path.resolve()
        passable = all(folder.stat().st_mode & stat.S_IXOTH for folder in real.parents)
        return passable and bool(real.stat().st_mode & stat.S_IROTH)

    def make_folder(self, path: Path) -> None:
        path.mkdir(mode=0o700, exist_ok=True)
        self.take(path)

    def take(self, path: Path) -> None:
        if self.is_other:
            os.chown(path, self.uid, self.gid)

    def make_socket_folder(self) -> Path:
        """A new private folder with a short path that the servers' user can reach."""
        base = Path(tempfile.gettempdir())
        if len(os.fsencode(base)) > _LONGEST_SOCKET_FOLDER - len("/enfilade-12345678") or not self.can_reach(
            base
        ):
            base = Path("/tmp")  # noqa: S108 the folder created in it is private and its name unguessable
        folder = Path(tempfile.mkdtemp(prefix="enfilade-", dir=base))
        self.take(folder)
        return folder


def servers_identity() -> ServerUser:
    if os.geteuid() != 0:
        return ServerUser(os.geteuid(), os.getegid(), is_other=False)
    user = pwd.getpwnam("nobody")
    return ServerUser(user.pw_uid, user.pw_gid, is_other=True)
