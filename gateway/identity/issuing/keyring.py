"""The embedded issuer's signing keys on disk: next, current and retiring; all processes share a rotation."""

import fcntl
import functools
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import msgspec
from joserfc import jwk, jwt
from joserfc.jwk import KeySet

from kit import clock

_ALGORITHM = "RS256"


class Retiring(msgspec.Struct, frozen=True):
    """A key that no longer signs; its tokens may be valid until then (seconds since 1970)."""

    pem: str
    until: float


class _Ring(msgspec.Struct, frozen=True):
    """The content of the file: the current key and since when it signs, the next and the retiring ones."""

    current: str
    since: float
    next: str
    retiring: tuple[Retiring, ...] = ()


class SigningKey(msgspec.Struct, frozen=True):
    """A key in a listing: its id, its state, and the instant since or until which the state lasts."""

    kid: str
    state: Literal["next", "current", "retiring"]
    at: float


class Keyring:
    """Signing keys in one file that is replaced atomically.

    The next key is published long before it signs, so that cached key sets contain it by then. A retiring key
    is published for `lifetime` seconds more, the longest lifetime of its tokens.
    """

    def __init__(self, directory: Path, *, lifetime: float) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._path = directory / "issuer.keys.json"
        self._lifetime = lifetime
        self._seen: tuple[int, int] | None = None
        with self._locked():
            if not self._path.exists():
                self._write(_Ring(current=_new_key(), since=_now(), next=_new_key()))
        self._load()

    def sign(self, claims: dict[str, Any], **header: Any) -> str:
        """A JWT of these claims under the current key."""
        self._load()
        key = self._current  # a rotation in another thread may change it any moment
        full = {"alg": _ALGORITHM, "typ": "at+jwt", "kid": key.thumbprint(), **header}
        return jwt.encode(full, claims, key, algorithms=["RS256", "PS256"])

    def jwks(self) -> dict[str, Any]:
        """The public key set (RFC 7517): the current key, the next one, and those still retiring."""
        self._load()
        published = [self._current, self._next, *(key for key, until in self._retiring if until > _now())]
        return {"keys": [_public(key) for key in published]}

    def read(self, token: str) -> dict[str, Any]:
        """The claims of a token that one of these keys signed, also an expired one; empty for other texts."""
        self._load()
        keys = KeySet([self._current, self._next, *(key for key, _ in self._retiring)])
        try:
            return dict(jwt.decode(token, keys, algorithms=[_ALGORITHM]).claims)
        except Exception:  # noqa: BLE001 - the text is not trusted: any failure means that it is no token of this issuer
            return {}

    def list(self) -> list[SigningKey]:
        """Every key with its state."""
        self._load()
        return [
            SigningKey(self._current.thumbprint(), "current", self._ring.since),
            SigningKey(self._next.thumbprint(), "next", self._ring.since),
            *(SigningKey(key.thumbprint(), "retiring", until) for key, until in self._retiring),
        ]

    def age(self) -> float:
        """For how many seconds the current key has been signing."""
        self._load()
        return _now() - self._ring.since

    def rotate(self, *, older_than: float = 0.0) -> bool:
        """Make the next key current; False when another process has just done so.

        Generates a key, which is slow: call it in a thread where an event loop runs.
        """
        with self._locked():
            self._load()
            ring, now = self._ring, _now()
            if now - ring.since < older_than:
                return False
            retiring = (Retiring(ring.current, now + self._lifetime), *ring.retiring)
            self._write(
                _Ring(
                    current=ring.next,
                    since=now,
                    next=_new_key(),
                    retiring=tuple(key for key in retiring if key.until > now),
                )
            )
        return True

    def _load(self) -> None:
        status = self._path.stat()
        if self._seen == (status.st_ino, status.st_mtime_ns):
            return
        self._ring = msgspec.json.decode(self._path.read_bytes(), type=_Ring)
        self._current = _key(self._ring.current)
        self._next = _key(self._ring.next)
        self._retiring = [(_key(key.pem), key.until) for key in self._ring.retiring]
        self._seen = (status.st_ino, status.st_mtime_ns)

    def _write(self, ring: _Ring) -> None:
        draft = self._path.with_name(f".{self._path.name}.{secrets.token_hex(4)}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(msgspec.json.encode(ring))
        draft.replace(self._path)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        """Lock the file: one process at a time changes it."""
        handle = os.open(self._directory, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _new_key() -> str:
    return jwk.RSAKey.generate_key(2048).as_pem(private=True).decode()


@functools.lru_cache(maxsize=16)
def _key(pem: str) -> jwk.RSAKey:
    """The key, once per process: its numbers are checked, which takes a while."""
    return jwk.RSAKey.import_key(pem)


def _public(key: jwk.RSAKey) -> dict[str, Any]:
    return {**key.as_dict(private=False), "kid": key.thumbprint(), "use": "sig", "alg": _ALGORITHM}


def _now() -> float:
    return clock.now().timestamp()
