"""Certificates: the client certificate that a trusted TLS terminator forwards (RFC 9440, RFC 8705)."""

import base64
import binascii
import hashlib
from collections.abc import Iterable

from contracts.problems import InvalidToken
from gateway.exchange import Exchange
from gateway.identity import jose
from gateway.peers import Proxies, peer_of

_FIELDS = frozenset({b"client-cert", b"client-cert-chain"})


class Certificates:
    """Accepts the Client-Cert field of terminators in the given networks, and of no other peer."""

    def __init__(self, terminators: Iterable[str]) -> None:
        self._terminators = Proxies(terminators)

    def check(self, exchange: Exchange, thumbprint: str) -> None:
        """Raise InvalidToken unless the connection's certificate is the one that the token is bound to."""
        if self._thumbprint(exchange) != thumbprint:
            raise InvalidToken("The token is bound to a certificate that was not sent with it")

    def _thumbprint(self, exchange: Exchange) -> str:
        """The certificate's ``x5t#S256``; empty without one. Removes the fields of any other peer."""
        # By its connection's address: X-Forwarded-For can be forged.
        if peer_of(exchange.scope.get("client")) not in self._terminators:
            for name in _FIELDS:
                exchange.headers.pop(name, None)
            return ""
        values = [value for name, value in exchange.scope["headers"] if name == b"client-cert"]
        der = _read(values[0]) if len(values) == 1 else b""
        return jose.encode_part(hashlib.sha256(der).digest()) if der else ""


def _read(value: bytes) -> bytes:
    """The DER certificate of a Client-Cert field: one Byte Sequence (RFC 9440 §2.2), and nothing else."""
    value = value.strip()
    if len(value) < 2 or value[:1] != b":" or value[-1:] != b":":  # noqa: PLR2004 - two colons
        return b""
    try:
        return base64.b64decode(value[1:-1], validate=True)
    except binascii.Error:
        return b""
