"""Wire: checks sizes, hosts and addresses, before the route is known or a body is read."""

import re
from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.problems import BadRequest, HeadersTooLarge, UnsupportedMediaType, UriTooLong
from gateway.exchange import Asked, Exchange, PipelineStep, Reply, Route, Rule, try_policy
from gateway.peers import Proxies, parse_address, parse_network, peer_of

_SINGLE = frozenset(
    {
        b"content-length",
        b"content-type",
        b"host",
        b"idempotency-key",
        b"transfer-encoding",
    }
)
_LONGEST_LENGTH = 18  # digits
_FORWARDED_FOR = b"x-forwarded-for"
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_CONNECTIONS = frozenset({b"", b"close", b"http2-settings", b"keep-alive", b"te", b"upgrade"})
# What every recipient goes by: a sender may not make it hop-by-hop, and who does wants it dropped by a proxy.
_END_TO_END = frozenset(
    {
        b"authorization",
        b"cache-control",
        b"cookie",
        b"dpop",
        b"expect",
        b"forwarded",
        b"host",
        b"idempotency-key",
        b"last-event-id",
        b"origin",
        b"pragma",
        b"prefer",
        b"traceparent",
        b"tracestate",
        b"transfer-encoding",
        b"via",
        b"x-real-ip",
    }
)
_END_TO_END_PREFIXES = (b"accept", b"access-control-", b"client-cert", b"content-", b"if-", b"x-forwarded-")
_HOST = re.compile(rb"^([A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$")
# A path that a proxy and a tier could read differently is refused, not normalised.
_TRICKS = re.compile(rb"//|/(?:\.|%2e){1,2}(?:/|$)|%2f|%5c|%00|\\", re.IGNORECASE)

# Also by the names that Kubernetes' own components use.
LIVE = ("/health/live", "/livez")
READY = ("/health/ready", "/readyz")
# A balancer names a target by its address, or not at all (HTTP/1.0).
_PROBED = frozenset({*LIVE, *READY})
_WITHOUT_HOST = frozenset({"1", "1.0"})


class WireSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The bounds of a request.

    `content_types` are those that vendors' webhooks may have, beside JSON by its suffix; an API takes JSON.
    `hosts` are the accepted Host names (empty: any); a probe at a health address may have any.
    `trusted_proxies` are the networks of proxies whose X-Forwarded-For is accepted as the caller's address;
    from any other peer it is ignored.
    """

    max_header_bytes: Annotated[int, Meta(ge=1024)] = 16_384
    max_headers: Annotated[int, Meta(ge=16)] = 100
    max_uri_bytes: Annotated[int, Meta(ge=256)] = 8_192
    max_body_bytes: Annotated[int, Meta(ge=1024)] = 1_048_576
    body_seconds: Annotated[float, Meta(gt=0)] = 10.0
    content_types: tuple[str, ...] = (
        "application/json",
        "application/x-www-form-urlencoded",
        "application/xml",
        "text/xml",
    )
    hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for network in self.trusted_proxies:
            parse_network(network)


class Wire:
    """Refuses what is too large or malformed, and sets the limits for reading the body later."""

    def __init__(self, settings: WireSettings) -> None:
        self._settings = settings
        self._hosts = frozenset(_host_name(host.encode()) for host in settings.hosts)
        self._proxies = Proxies(settings.trusted_proxies)

    def wrap(self, _: Route | None, call_next: PipelineStep) -> PipelineStep:
        settings = self._settings
        max_uri, max_body, seconds = settings.max_uri_bytes, settings.max_body_bytes, settings.body_seconds

        async def wire(exchange: Exchange) -> Reply:
            if len(exchange.raw_path) + len(exchange.query) > max_uri:
                raise UriTooLong(f"An address may have {max_uri} bytes")
            self._check_headers(exchange)
            _drop_hop_by_hop(exchange.headers)
            _check_framing(exchange.headers)
            if _TRICKS.search(exchange.raw_path):
                raise _malformed("The path can be read in more than one way")
            exchange.body_limit, exchange.body_seconds = max_body, seconds
            if exchange.method in _WITH_BODY:
                await self._check_body(exchange)
            peer, forwarded_for = peer_of(exchange.scope.get("client")), exchange.headers.get(_FORWARDED_FOR)
            exchange.source = self._proxies.source(peer, forwarded_for)
            return await call_next(exchange)

        return wire

    async def judge(self, probe: Exchange, _: Asked | None) -> None:
        await try_policy(self, None, probe)

    def explain(self, asked: Asked) -> list[Rule]:
        settings = self._settings
        rules = [
            Rule(f"headers up to {settings.max_header_bytes} bytes", "wire.max_header_bytes"),
            Rule(f"an address up to {settings.max_uri_bytes} bytes", "wire.max_uri_bytes"),
        ]
        if asked.route.method in _WITH_BODY:
            rules.append(
                Rule(
                    f"a body up to {settings.max_body_bytes} bytes, within {settings.body_seconds:g} s",
                    "wire.max_body_bytes",
                )
            )
        if settings.hosts:
            rules.append(Rule(f"a Host among {', '.join(settings.hosts)}", "wire.hosts"))
        return rules

    def _check_headers(self, exchange: Exchange) -> None:
        raw = exchange.scope["headers"]
        if len(raw) > self._settings.max_headers:
            raise HeadersTooLarge(f"A request may have {self._settings.max_headers} headers")
        size = 0
        for name, value in raw:
            size += len(name) + len(value)
        if size > self._settings.max_header_bytes:
            raise HeadersTooLarge(f"Headers may have {self._settings.max_header_bytes} bytes together")
        if len(exchange.headers) != len(raw):
            _check_single([name for name, _ in raw])
        self._check_host(exchange)

    def _check_host(self, exchange: Exchange) -> None:
        """Refuse a Host that is not ours; HTTP/1.0 may have none (RFC 9112 §3.2)."""
        host, hosts = exchange.headers.get(b"host", b""), self._hosts
        if hosts and exchange.path in _PROBED:
            hosts = frozenset[bytes]()
        if not host and not hosts and exchange.scope.get("http_version") in _WITHOUT_HOST:
            return
        matched = _HOST.match(host)
        if matched is None:
            raise _malformed("The Host header is missing or malformed")
        if hosts and _host_name(matched.group(1)) not in hosts:
            raise _malformed("This Host is not served here")

    async def _check_body(self, exchange: Exchange) -> None:
        headers = exchange.headers
        length = headers.get(b"content-length", b"0").lstrip(b"0") or b"0"
        # By its digits first: Python reads no number of thousands.
        if len(length) > _LONGEST_LENGTH or int(length) > self._settings.max_body_bytes:
            await exchange.refuse_body(self._settings.max_body_bytes)
        if b"content-encoding" in headers:
            raise UnsupportedMediaType(
                "Bodies are accepted unencoded only", headers={"Accept-Encoding": "identity"}
            )


def _host_name(host: bytes) -> bytes:
    """A host in the form in which hosts are compared: without the dot of the root (RFC 9110 §4.2.3)."""
    if address := parse_address(host.decode("latin-1")):
        return str(address).encode()
    return host.lower().removesuffix(b".")


def _check_framing(headers: dict[bytes, bytes]) -> None:
    """Refuse headers that make the end of the body ambiguous (RFC 9112 §6.3)."""
    length, coding = headers.get(b"content-length"), headers.get(b"transfer-encoding")
    if length is not None and not length.isdigit():
        raise _malformed("The Content-Length is no number")
    if coding is None:
        return
    if coding.strip().lower() != b"chunked":
        raise _malformed("The only transfer coding accepted is chunked")
    if length is not None:
        raise _malformed("A body has a Content-Length or a Transfer-Encoding, not both")


def _drop_hop_by_hop(headers: dict[bytes, bytes]) -> None:
    """Drop the headers that Connection names (RFC 9110 §7.6.1); refuse those that every recipient needs."""
    connection = headers.get(b"connection")
    if connection is None or connection.lower() in _CONNECTIONS:
        return
    named = {option.strip() for option in connection.lower().split(b",")}
    if named & _END_TO_END or any(name.startswith(_END_TO_END_PREFIXES) for name in named):
        raise _malformed("Connection names a header that it may not name")
    for name in named - _CONNECTIONS:
        headers.pop(name, None)


def _malformed(detail: str) -> BadRequest:
    """The refusal of an ambiguous request; closes the connection, whose next bytes could be smuggled."""
    return BadRequest(detail, headers={"Connection": "close"})


def _check_single(names: list[bytes]) -> None:
    for name in _SINGLE:
        if names.count(name) > 1:
            raise _malformed(f"The header {name.decode()} may come once")
