"""What is believed of a browser: where a request comes from, and where it may be sent."""

from urllib.parse import urlsplit

from contracts.problems import Forbidden
from gateway.exchange import Exchange

GUARD = b"x-requested-by"
"""Every request that changes something has this header: no form and no other origin's script can set it."""

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OWN = frozenset({b"same-origin", b"none"})
_LONGEST_ADDRESS = 2048


def check_own_page(exchange: Exchange, origin: str) -> None:
    """Raise Forbidden for a request that another site's page could have caused (CSRF).

    `origin` is the gateway's own. What changes something must say where it comes from.
    """
    site, sent = exchange.headers.get(b"sec-fetch-site"), exchange.headers.get(b"origin")
    if (site is not None and site not in _OWN) or (sent is not None and sent != origin.encode()):
        raise Forbidden("The request was sent by another site's page")
    if exchange.method in _SAFE:
        return
    if site is None and sent is None:
        raise Forbidden("The request does not say from which page it was sent")
    if GUARD not in exchange.headers:
        raise Forbidden(f"Send the header {GUARD.decode()}")


def origin_of(url: str) -> str:
    """Scheme, host and port of an address."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def local_address(wanted: str, prefix: str) -> str:
    """An address within a bundle to which a person returns; its start for any other (no open redirect)."""
    start = f"{prefix}/"
    plain = (
        wanted.isascii() and wanted.isprintable() and "\\" not in wanted and len(wanted) <= _LONGEST_ADDRESS
    )
    path = wanted.partition("?")[0].partition("#")[0].lower()
    tricky = "//" in path or "/." in path or "%" in path
    own = path.startswith(start) and not path.startswith((f"{prefix}/api/", f"{prefix}/auth/"))
    return wanted if plain and own and not tricky and len(wanted) <= _LONGEST_ADDRESS else start
