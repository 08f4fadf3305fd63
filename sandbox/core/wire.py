"""JSON with exact numbers, and the few questions about a request that every stand-in asks."""

import ipaddress
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

# Money is a JSON number on these wires: Decimals go out as numbers, numbers with a point come in as Decimals.
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_DECODER = msgspec.json.Decoder(Any, float_hook=Decimal)

BadJson = msgspec.DecodeError


def dumps(value: Any) -> bytes:
    return _ENCODER.encode(value)


def loads(raw: bytes | str) -> Any:
    """Raises: BadJson."""
    return _DECODER.decode(raw)


def answer(
    body: Any = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
    media_type: str = "application/json",
) -> Response:
    """A JSON answer; without a body (None) an empty one."""
    content = b"" if body is None else dumps(body)
    return Response(content, status, headers, media_type if content else None)


def body_of(request: Request) -> bytes:
    """The whole body; the wrapper has read it before any vendor code runs, so nobody awaits."""
    return request.state.body


def origin(request: Request) -> str:
    """Scheme and host as the client wrote them; any name but this machine's came through the TLS proxy."""
    host = request.headers.get("host", "127.0.0.1")
    return f"{'http' if _is_local(host) else 'https'}://{host}"


def _is_local(host: str) -> bool:
    name = host.rsplit(":", 1)[0] if not host.endswith("]") else host
    name = name.strip("[]")
    if name in {"localhost", "testserver"}:
        return True
    try:
        return bool(ipaddress.ip_address(name))
    except ValueError:
        return False
