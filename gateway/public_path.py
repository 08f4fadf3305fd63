"""Public path: the path of the public address, which a proxy strips or keeps, and which every answer has."""

import re
from typing import Any
from urllib.parse import urlsplit

import msgspec

from gateway.catalogue import html
from gateway.exchange import Exchange, Header, Reply
from kit.problems import MEDIA_TYPE, TYPE_BASE

_PROBLEM = (b"content-type", MEDIA_TYPE.encode())
# Within a JSON text the quotes would be escaped.
_RELATIVE = f'"type":"{TYPE_BASE}'.encode()
_POLICY = b"content-security-policy"
_LINK = re.compile(rb"(<)(/)(?!/)")
_HTML_LINK = re.compile(rb'(\b(?:href|action)=")(/)(?!/)')
_ADDRESSES = ("instance", "successor")


def path_of(public_url: str) -> str:
    """The path of a public address, without a slash at the end; usually empty."""
    return urlsplit(public_url).path.rstrip("/")


class PublicPath:
    """Routes are matched without the path, and every address in an answer has it.

    Addresses are completed here alone, on the way out, so that no part of the gateway builds them in its own
    way: in Location and Link, in problem documents, and in the gateway's own pages.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._raw = path.encode()

    def enter(self, exchange: Exchange) -> None:
        """Remove the path from a request whose proxy did not strip it."""
        raw, path = exchange.raw_path, exchange.path
        if path == self._path and raw == self._raw:
            exchange.path, exchange.raw_path = "/", b"/"
        elif path.startswith(self._path + "/") and raw.startswith(self._raw + b"/"):
            exchange.path, exchange.raw_path = path[len(self._path) :], raw[len(self._raw) :]

    def leave(self, reply: Reply) -> None:
        """Add the path to the addresses in an answer."""
        reply.headers = [self._header(name, value) for name, value in reply.headers]
        if _PROBLEM in reply.headers:
            _replace(reply, self._in_problem(reply.body))
        elif any(name == _POLICY and value.startswith(html.POLICY.encode()) for name, value in reply.headers):
            _replace(reply, _HTML_LINK.sub(rb"\1" + self._raw + rb"\2", reply.body))

    def _header(self, name: bytes, value: bytes) -> Header:
        if name == b"link":
            return name, _LINK.sub(rb"\1" + self._raw + rb"\2", value)
        if name == b"location" and value.startswith(b"/") and not value.startswith(b"//"):
            return name, self._raw + value
        return name, value

    def _in_problem(self, body: bytes) -> bytes:
        document: dict[str, Any] = msgspec.json.decode(body)
        for name in _ADDRESSES:
            if str(document.get(name, "")).startswith("/"):
                document[name] = self._path + document[name]
        return msgspec.json.encode(document)


class ProblemTypes:
    """The types of problems as absolute addresses of the catalogue (RFC 9457 §3.1.1 advises it)."""

    def __init__(self, public_url: str) -> None:
        self._absolute = f'"type":"{public_url}{TYPE_BASE}'.encode()

    def complete(self, reply: Reply) -> None:
        """Complete the type in the answer, where it is a problem."""
        if _PROBLEM in reply.headers:
            _replace(reply, reply.body.replace(_RELATIVE, self._absolute))


def _replace(reply: Reply, body: bytes) -> None:
    reply.body = body
    reply.headers = [item for item in reply.headers if item[0] != b"content-length"]
