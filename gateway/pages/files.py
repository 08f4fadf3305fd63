"""Files: a bundle's folder, read once: what a browser gets for each path, already compressed."""

import gzip
import hashlib
import mimetypes
from collections.abc import Iterator
from pathlib import Path

import msgspec

from contracts.problems import UnknownRoute
from gateway.exchange import Exchange, Header, Reply
from gateway.pages import PageSettings
from kit import conditions
from kit.settings import SettingsError

MAX_BYTES = 64 * 1024 * 1024
_SMALLEST_COMPRESSED = 1024
_COMPRESSIBLE = (
    "text/",
    "application/json",
    "application/javascript",
    "image/svg+xml",
    "application/manifest",
)
_ENCODINGS = {"br": ".br", "gzip": ".gz"}  # the preferred first
_POLICY = (
    b"default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none'; form-action 'self'"
)
_HEADERS: list[Header] = [
    (b"content-security-policy", _POLICY),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
]
_IMMUTABLE = (b"cache-control", b"public, max-age=31536000, immutable")
_REVALIDATED = (b"cache-control", b"no-cache")
_OF_THE_BODY = (b"content-type", b"content-encoding")
_ENTRY = (b"cache-control", b"no-store")

mimetypes.add_type("text/javascript", ".js")
mimetypes.add_type("text/javascript", ".mjs")
mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("application/manifest+json", ".webmanifest")


class Representation(msgspec.Struct, frozen=True):
    """A file in one content coding, with its own ETag (RFC 9110 §8.8.3)."""

    body: bytes
    headers: tuple[Header, ...]
    etag: bytes


class Files:
    """The files of a bundle by their paths; raises SettingsError for a folder that is none.

    Only what was read at start is served: no request reads the disk, so no path can lead out of the folder.
    """

    def __init__(self, place: str, settings: PageSettings, folder: Path) -> None:
        self._settings = settings
        self._files: dict[str, dict[str, Representation]] = {}
        self._root = root = folder.resolve()
        self._seen = _state(root)
        paths = {path.relative_to(root).as_posix(): path for path in _files_in(root)}
        if settings.entry not in paths:
            raise SettingsError([f"{place}.folder: there is no {settings.entry} in {folder}"])
        if sum(path.stat().st_size for path in paths.values()) > MAX_BYTES:
            raise SettingsError([f"{place}.folder: a bundle has {MAX_BYTES >> 20} MiB at most"])
        for name, path in paths.items():
            if path.suffix not in _ENCODINGS.values():
                self._files[name] = self._read(name, path, paths)

    def _read(self, name: str, path: Path, paths: dict[str, Path]) -> dict[str, Representation]:
        body, kind = path.read_bytes(), mimetypes.guess_type(name)[0] or "application/octet-stream"
        bodies = {"": body}
        for coding, suffix in _ENCODINGS.items():
            if name + suffix in paths:
                bodies[coding] = paths[name + suffix].read_bytes()
            elif coding == "gzip" and kind.startswith(_COMPRESSIBLE) and len(body) >= _SMALLEST_COMPRESSED:
                bodies[coding] = gzip.compress(body, mtime=0)
        if name == self._settings.entry:
            caching = _ENTRY
        else:
            caching = _IMMUTABLE if name.startswith(self._settings.immutable) else _REVALIDATED
        media_type = kind + ("; charset=utf-8" if kind.startswith("text/") else "")
        common = [(b"content-type", media_type.encode()), caching, (b"vary", b"Accept-Encoding"), *_HEADERS]
        return {coding: _representation(content, coding, common) for coding, content in bodies.items()}

    def is_current(self, settings: PageSettings) -> bool:
        """Whether the folder and how it is to be served are as when it was read."""
        same = (settings.entry, settings.immutable) == (self._settings.entry, self._settings.immutable)
        return same and self._seen == _state(self._root)

    @property
    def entry(self) -> str:
        """The path of the HTML entry."""
        return self._settings.entry

    def name_of(self, path: str, accept: str) -> str:
        """The file for a path within the bundle: the entry for an address of the application itself.

        Raises UnknownRoute for a file that is not there.
        """
        if path in self._files:
            return path
        if not path:
            return self.entry
        if "." in path.rpartition("/")[2] or not ("text/html" in accept or accept in ("", "*/*")):
            raise UnknownRoute("There is no such file")
        return self.entry

    def answer(self, name: str, exchange: Exchange) -> Reply:
        """A file in the coding that the browser takes, or 304 where it has that already."""
        options = self._files[name]
        accepted = _accepted(exchange.headers.get(b"accept-encoding", b"").decode("latin-1"))
        coding = next((one for one in _ENCODINGS if one in options and one in accepted), "")
        chosen = options[coding]
        if name == self.entry:
            return Reply(200, list(chosen.headers), chosen.body)
        headers = [*chosen.headers, (b"etag", chosen.etag)]
        if_none_match = exchange.headers.get(b"if-none-match", b"").decode("latin-1")
        if conditions.names(if_none_match, chosen.etag.decode(), weak=True):
            return Reply(304, [item for item in headers if item[0] not in _OF_THE_BODY])
        return Reply(200, headers, chosen.body)


def _files_in(root: Path) -> Iterator[Path]:
    """The files of a folder, without hidden ones and links that lead out of it."""
    for path in sorted(root.rglob("*")) if root.is_dir() else ():
        hidden = any(part.startswith(".") for part in path.relative_to(root).parts)
        if not hidden and path.is_file() and path.resolve().is_relative_to(root):
            yield path


def _state(root: Path) -> list[tuple[str, int, int]]:
    """A fingerprint by which a changed file of a folder is recognised."""
    states = ((path, path.stat()) for path in _files_in(root))
    return [(str(path), state.st_size, state.st_mtime_ns) for path, state in states]


def _representation(body: bytes, coding: str, common: list[Header]) -> Representation:
    etag = b'"%s"' % hashlib.blake2b(body, digest_size=16).hexdigest().encode()
    encoded = [(b"content-encoding", coding.encode())] if coding else []
    return Representation(body, (*common, *encoded), etag)


def _accepted(field: str) -> set[str]:
    """The content codings that a request accepts by name (RFC 9110 §12.5.3)."""
    accepted = set()
    for item in field.lower().split(","):
        coding, _, weight = item.partition(";")
        if weight.replace(" ", "").rstrip("0.") != "q=":
            accepted.add(coding.strip())
    return accepted
