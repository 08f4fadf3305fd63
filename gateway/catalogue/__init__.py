"""The API catalogue: every API, its operations and its problems, as HTML pages and as JSON."""

from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import msgspec

from contracts.problems import catalogue
from gateway.catalogue import html
from gateway.exchange import Exchange, Header, PipelineStep, Reply
from gateway.inventory import Mounted
from gateway.lifecycle import NONE, ApiLifecycles, address_of

_PATHS = frozenset({"base", "openapi", "page", "successor"})
_PAGE_HEADERS: tuple[Header, ...] = (
    (b"content-type", b"text/html; charset=utf-8"),
    (b"cache-control", b"public, max-age=60"),
    (b"content-security-policy", html.POLICY.encode()),
    (b"vary", b"Accept"),
)


class Catalogue:
    """Pages rendered once, at start, from the frozen documents."""

    def __init__(self, apis: Iterable[Mounted], public_url: str, lifecycles: ApiLifecycles = NONE) -> None:
        self._lifecycles = lifecycles
        self._public_url = public_url
        self._instances: dict[str, list[str]] = {}
        self._apis: dict[str, Mounted] = {}
        for mounted in apis:
            self._apis.setdefault(mounted.api.slug, mounted)
            if mounted.instance:
                self._instances.setdefault(mounted.api.slug, []).append(mounted.instance)

    def listed(self) -> list[dict[str, Any]]:
        """Every API: its name, summary and lifecycle, and where it, its page and its document are."""
        return [self._listed(mounted) for mounted in self._apis.values()]

    def pages(self) -> dict[str, PipelineStep]:
        """Every page by its path."""
        listed = self.listed()
        retired = [
            {"api": slug, **life_of(slug, self._lifecycles)}
            for slug, one in sorted(self._lifecycles.items())
            if one.state == "retired" and slug not in self._apis
        ]
        codes = sorted(catalogue().values(), key=lambda kind: (kind.status, kind.code))
        problems = [
            {
                "code": kind.code,
                "status": kind.status,
                "title": kind.title,
                "retryable": kind.retryable,
                "actor": kind.actor,
                "meaning": " ".join((kind.__doc__ or "").partition("\n\n")[0].split()),
                "next_step": kind.next_step,
            }
            for kind in codes
        ]
        pages = {
            "/apis": self._either({"apis": listed, "retired": retired}, html.catalogue_page(listed, retired)),
            "/apis/problems": _either({"problems": problems}, html.problems_page(problems)),
        }
        for problem in problems:
            pages[f"/apis/problems/{problem['code']}"] = _either(problem, html.problem_page(problem))
        for mounted, summary in zip(self._apis.values(), listed, strict=True):
            pages[summary["page"]] = self._either(summary, html.api_page(summary, self._document(mounted)))
        return pages

    def _either(self, content: object, page: str) -> PipelineStep:
        """The content with public paths, as JSON, or its page."""
        return _either(_under(urlsplit(self._public_url).path, content), page)

    def documents(self, publish: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, PipelineStep]:
        """Every API's document by its path, as `publish` makes it of the frozen one with its addresses."""
        return {
            f"{_page_of(mounted)}/openapi.json": _json_only(publish(self._document(mounted)))
            for mounted in self._apis.values()
        }

    def _listed(self, mounted: Mounted) -> dict:
        api = mounted.api
        page = _page_of(mounted)
        return {
            "api": api.slug,
            "tier": api.tier,
            "name": api.name,
            "version": api.version,
            "summary": api.summary,
            **life_of(api.slug, self._lifecycles),
            "audiences": list(api.audiences),
            "instances": sorted(self._instances.get(api.slug, [])),
            "base": api.prefix,
            "operations": sum(len(methods) for methods in mounted.document["paths"].values()),
            "page": page,
            "openapi": page + "/openapi.json",
        }

    def _document(self, mounted: Mounted) -> dict:
        """The frozen document with the addresses of this deployment."""
        server = dict(mounted.document["servers"][0])
        server["url"] = self._public_url + server["url"]
        instances = sorted(self._instances.get(mounted.api.slug, []))
        if instances:
            server["variables"] = {"instance": {"default": instances[0], "enum": instances}}
        return {**mounted.document, "servers": [server]}


def _page_of(mounted: Mounted) -> str:
    return f"/apis/{mounted.api.tier}/{mounted.api.name}/v{mounted.api.version}"


def life_of(slug: str, lifecycles: ApiLifecycles) -> dict:
    """The lifecycle of a version, as the catalogue shows it."""
    lifecycle = lifecycles.get(slug)
    if lifecycle is None:
        return {"status": "published"}
    shown = {"status": lifecycle.state, "owner": lifecycle.owner, "since": lifecycle.since}
    if lifecycle.sunset is not None:
        shown |= {"sunset": lifecycle.sunset}
    if lifecycle.successor is not None:
        shown |= {"successor": address_of(lifecycle.successor)}
    return msgspec.to_builtins(shown)


def _under(path: str, content: Any) -> Any:
    """The content with its addresses under the path of the public address."""
    if isinstance(content, list):
        return [_under(path, each) for each in content]
    if not isinstance(content, dict):
        return content
    return {name: path + value if name in _PATHS else _under(path, value) for name, value in content.items()}


def _either(content: object, page: str) -> PipelineStep:
    as_json, as_html = msgspec.json.encode(content), page.encode()

    async def show(exchange: Exchange) -> Reply:
        if _wants_html(exchange.headers.get(b"accept", b"")):
            return Reply(200, list(_PAGE_HEADERS), as_html)
        return _json(as_json)

    return show


def _json_only(content: object) -> PipelineStep:
    encoded = msgspec.json.encode(content)

    async def show(_: Exchange) -> Reply:
        return _json(encoded)

    return show


def _json(encoded: bytes) -> Reply:
    headers: list[Header] = [
        (b"content-type", b"application/json"),
        (b"cache-control", b"public, max-age=60"),
        (b"vary", b"Accept"),
    ]
    return Reply(200, headers, encoded)


def _wants_html(accept: bytes) -> bool:
    """Whether HTML is preferred: browsers name text/html first; programs name JSON or neither."""
    kinds = [kind.partition(b";")[0].strip() for kind in accept.split(b",")]
    html_at = kinds.index(b"text/html") if b"text/html" in kinds else len(kinds)
    json_at = kinds.index(b"application/json") if b"application/json" in kinds else len(kinds)
    return html_at < json_at
