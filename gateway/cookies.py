"""Cookies: those that the gateway gives to browsers."""

from gateway.exchange import Exchange, Header
from gateway.public_path import path_of


class Cookie:
    """A cookie of this host alone; over http, for development, without the prefix that demands TLS.

    The prefix demands the path ``/``, so gateways under several paths of one host differ in the names.
    """

    def __init__(self, name: str, public_url: str, *, seconds: int | None = None) -> None:
        secure = public_url.startswith("https:")
        name += path_of(public_url).replace("/", "-")
        self.name = f"__Host-{name}" if secure else name
        age = f"; Max-Age={seconds}" if seconds is not None else ""
        self._attributes = f"; Path=/{age}; HttpOnly; SameSite=Lax" + ("; Secure" if secure else "")

    def read(self, exchange: Exchange) -> str:
        """Its value in a request; empty without one.

        Cookies of other applications on the host may be no cookies of RFC 6265 (JSON, brackets): each pair is
        read by itself (section 5.4), and the standard library's parser would stop at the first of those.
        """
        pairs = exchange.headers.get(b"cookie", b"").decode("latin-1").split(";")
        named = (pair.partition("=") for pair in pairs)
        return next((value.strip() for name, _, value in named if name.strip() == self.name), "")

    def set(self, value: str) -> Header:
        """The header that sets it."""
        return b"set-cookie", f"{self.name}={value}{self._attributes}".encode()

    def clear(self) -> Header:
        """The header that deletes it."""
        return b"set-cookie", f"{self.name}=; Max-Age=0{self._attributes}".encode()
