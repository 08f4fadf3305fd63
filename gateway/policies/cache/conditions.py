"""Conditions: a request's preconditions and cache directives (RFC 9110, RFC 9111)."""

from typing import NamedTuple

from gateway.exchange import Exchange, Reply
from kit import conditions

_ABOUT_THE_BODY = (b"content-type", b"content-length")
_OK = 200
_NOT_MODIFIED = 304


class CacheDirectives(NamedTuple):
    """A request's cache directives; ages in seconds, None where the directive is absent."""

    no_store: bool = False
    no_cache: bool = False
    only_if_cached: bool = False
    max_age: float | None = None
    min_fresh: float = 0.0

    @property
    def patient(self) -> bool:
        """Whether no directive bounds the age, so that a stale answer may be served."""
        return not self.no_cache and self.max_age is None and not self.min_fresh

    def take(self, age: float, lifetime: float) -> bool:
        """Whether the directives accept a cached answer of that age."""
        young = self.max_age is None or age <= self.max_age
        return young and not self.no_cache and age + self.min_fresh < lifetime


NONE = CacheDirectives()


def cache_directives(exchange: Exchange) -> CacheDirectives:
    """The cache directives of a request (RFC 9111 §5.2.1); max-stale is not supported."""
    field = exchange.headers.get(b"cache-control")
    if field is None:
        return (
            CacheDirectives(no_cache=True)
            if b"no-cache" in exchange.headers.get(b"pragma", b"").lower()
            else NONE
        )
    directives = {
        name.strip().lower(): value.strip().strip(b'"')
        for name, _, value in (item.partition(b"=") for item in field.split(b","))
    }
    max_age = _seconds(directives.get(b"max-age"))
    return CacheDirectives(
        no_store=b"no-store" in directives,
        no_cache=b"no-cache" in directives or max_age == 0,
        only_if_cached=b"only-if-cached" in directives,
        max_age=max_age,
        min_fresh=_seconds(directives.get(b"min-fresh")) or 0.0,
    )


def _seconds(text: bytes | None) -> float | None:
    """A delta-seconds; an unreadable one counts as zero, the strictest."""
    if text is None:
        return None
    return float(text) if text.isdigit() else 0.0


def header(reply: Reply, name: bytes) -> bytes:
    """A header of a reply, empty when it is not there."""
    return next((value for each, value in reply.headers if each == name), b"")


def met(exchange: Exchange, reply: Reply) -> Reply:
    """A read's answer under the request's conditions (RFC 9110 §13.2.2): the same or 304.

    Raises PreconditionFailed. Conditions apply to successes only; an answer without a tag matches `*`.
    """
    if reply.status != _OK:
        return reply
    if_match, if_none_match = exchange.headers.get(b"if-match"), exchange.headers.get(b"if-none-match")
    if if_match is None and if_none_match is None:
        return reply
    etag = header(reply, b"etag")
    if if_match is not None and not _names(if_match, etag, weak=False):
        raise conditions.changed(etag.decode("latin-1"), weakened=_names(if_match, etag, weak=True))
    if if_none_match is not None and _names(if_none_match, etag, weak=True):
        return Reply(_NOT_MODIFIED, [item for item in reply.headers if item[0] not in _ABOUT_THE_BODY])
    return reply


def _names(field: bytes, etag: bytes, *, weak: bool) -> bool:
    return conditions.names(field.decode("latin-1"), etag.decode("latin-1"), weak=weak)
