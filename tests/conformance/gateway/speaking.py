"""tests/conformance/gateway: HTTP as it is, with nothing made tidy on the way (http.client and sockets)."""

import contextlib
import http.client
import io
import socket
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

Pairs = Sequence[tuple[str, str]]


class Answer(msgspec.Struct, frozen=True):
    """What came back; `status` is 0 where nothing came before the gateway was closed."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    received: bytes

    def header(self, name: str) -> str | None:
        """A header's values, joined; None where it is absent."""
        values = [value for key, value in self.headers if key.lower() == name.lower()]
        return ", ".join(values) if values else None

    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            return None


NOTHING = Answer(0, (), b"", b"")


class _Kept(io.BufferedReader):
    """What a connection gives; it survives its first answer, so that what follows can be looked at."""

    def makefile(self, _: str) -> "_Kept":
        return self

    def close(self) -> None:
        """The connection is closed by whoever opened it."""

    def rest(self) -> bytes:
        with contextlib.suppress(ConnectionError):
            return self.read()
        return b""


class Line:
    """A connection to the target, opened again when the other side has closed it.

    `source` is the address of ours that it comes from, where that matters.
    """

    def __init__(self, base_url: str, seconds: float, source: str = "") -> None:
        address = urlsplit(base_url)
        self._source = (source, 0) if source else None
        self._place = (address.hostname or "127.0.0.1", address.port or 80)
        self._seconds = seconds
        self._connection: http.client.HTTPConnection | None = None

    def ask(self, method: str, path: str, headers: Pairs, body: bytes | None) -> Answer:
        """One request and its answer; raises OSError where there is none in time."""
        try:
            return self._ask(method, path, headers, body)
        except (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError):
            self.close()
            return NOTHING

    def _ask(self, method: str, path: str, headers: Pairs, body: bytes | None) -> Answer:
        connection = self._connection or http.client.HTTPConnection(
            *self._place, timeout=self._seconds, source_address=self._source
        )
        self._connection = connection
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in headers:
            connection.putheader(name, value.encode("latin-1"))
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = _read(connection.getresponse())
        if connection.sock is None:
            self.close()
        return answer

    def send(self, request: bytes) -> Answer:
        """Bytes as they are, on a connection of their own: the first answer, and all that was received."""
        with socket.create_connection(self._place, self._seconds, self._source) as line:
            try:
                line.sendall(request)
                return self._receive(line, request)
            except (ConnectionError, http.client.HTTPException):
                return NOTHING

    def _receive(self, line: socket.socket, request: bytes) -> Answer:
        kept = _Kept(socket.SocketIO(line, "r"))
        response = http.client.HTTPResponse(kept, method=request.partition(b" ")[0].decode())  # pyright: ignore[reportArgumentType]
        response.begin()
        answer = _read(response)
        # Whoever asks to close wants to see what else comes.
        rest = kept.rest() if b"connection: close" in request.lower() else b""
        return msgspec.structs.replace(answer, received=answer.received + rest)

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _read(response: http.client.HTTPResponse) -> Answer:
    headers = tuple(response.getheaders())
    body = response.read()
    head = "".join(f"{name}: {value}\r\n" for name, value in headers)
    return Answer(response.status, headers, body, head.encode("latin-1") + body)
