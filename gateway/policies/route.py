"""Route: which operation a path addresses, from a table derived from the declared interfaces."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from contracts.operation import Operation
from contracts.problems import MethodNotAllowed, Problem, UnknownRoute
from gateway.exchange import Asked, Exchange, Reply, Route, Rule, Step
from gateway.inventory import Mounted

REST = "{*}"
"""The last segment of a template that fits every path below it."""

_NONE: Mapping[str, str] = MappingProxyType({})


def routes_of(mounted: Mounted) -> list[Route]:
    """The routes of a mounted API; raises ValueError when the document lacks an operation."""
    components = mounted.document.get("components", {})
    routes = []
    for name, method in _operations(mounted.interface):
        operation: Operation = method.__operation__
        shape = mounted.document.get("paths", {}).get(operation.path, {}).get(operation.method.lower())
        if shape is None:
            raise ValueError(f"{mounted.api.slug}: the document lacks {operation.method} {operation.path}")
        routes.append(
            Route(
                method=operation.method,
                template=mounted.prefix + operation.path,
                name=f"{mounted.api.slug}.{name}",
                target=mounted.target(name),
                api=mounted.api,
                operation=operation,
                instance=mounted.instance,
                shape=shape,
                components=components,
            )
        )
    return routes


def _operations(interface: type) -> Iterable[tuple[str, Any]]:
    methods = {
        name: method
        for kind in reversed(interface.__mro__)
        for name, method in vars(kind).items()
        if isinstance(getattr(method, "__operation__", None), Operation)
    }
    return methods.items()


@dataclass(slots=True)
class _Node:
    """One segment of the tree of paths: its literal children, its parameter, and the routes that end here.

    `rest` are the routes for every longer path to which no other route fits.
    """

    named: dict[str, "_Node"] = field(default_factory=dict)
    place: "_Node | None" = None
    rest: "_Node | None" = None
    ends: dict[str, tuple[Route, tuple[str, ...]]] = field(default_factory=dict)
    steps: dict[str, tuple[Step, Route, tuple[str, ...]]] = field(default_factory=dict)
    allow: str = ""


class RouteTable:
    """Every route of the gateway as a tree of path segments.

    `pages` are the prefixes under which the operations are called with the session of which page bundle.
    """

    def __init__(
        self,
        apis: Iterable[Mounted],
        open_routes: Iterable[Route] = (),
        retired: Callable[[str], Problem | None] = lambda _: None,
        pages: Mapping[str, str] = _NONE,
    ) -> None:
        self._pages = pages
        self._retired = retired
        self.apis = tuple(apis)
        self._root = _Node()
        self.routes = [*(route for api in self.apis for route in routes_of(api)), *open_routes]
        for route in self.routes:
            self._add(route)

    def _add(self, route: Route) -> None:
        node, places = self._root, []
        for segment in route.template.split("/")[1:]:
            if segment == REST:
                node.rest = node.rest or _Node()
                node = node.rest
            elif segment.startswith("{"):
                places.append(segment[1:-1])
                node.place = node.place or _Node()
                node = node.place
            else:
                node = node.named.setdefault(segment, _Node())
        if route.method in node.ends:
            raise ValueError(f"two routes are declared for {route.method} {route.template}")
        node.ends[route.method] = (route, tuple(places))

    def compose(self, build: Callable[[Route], Step]) -> None:
        """Build the policy stack of every route, once."""
        self._compose(self._root, build)

    def _compose(self, node: _Node, build: Callable[[Route], Step]) -> None:
        for method, (route, places) in node.ends.items():
            node.steps[method] = (build(route), route, places)
        if node.ends:
            self._complete(node, build)
        for child in filter(None, (*node.named.values(), node.place, node.rest)):
            self._compose(child, build)

    def _complete(self, node: _Node, build: Callable[[Route], Step]) -> None:
        """Add HEAD, which is GET without its body, and OPTIONS, which answers the allowed methods."""
        if "GET" in node.steps:
            node.steps["HEAD"] = node.steps["GET"]
        node.allow = ", ".join(sorted({*node.steps, "OPTIONS"}))
        some, places = next(iter(node.ends.values()))
        options = Route("OPTIONS", some.template, "options", _method_not_allowed(node.allow), page=some.page)
        node.steps["OPTIONS"] = (build(options), options, places)

    def find(self, method: str, path: str) -> tuple[Step, Route, dict[str, str]]:
        """The stack, the route and the path parameters; raises UnknownRoute, MethodNotAllowed and Gone."""
        try:
            node, values = _walk(self._root, path)
        except UnknownRoute as unknown:
            rest = _rest_of(self._root, path)
            if rest is None:
                raise self._retired(path) or unknown from None
            node, values = rest, []
        match = node.steps.get(method)
        if match is None:
            raise MethodNotAllowed(
                f"{method} is not allowed here; allowed are {node.allow}", headers={"Allow": node.allow}
            )
        step, route, places = match
        return step, route, dict(zip(places, values, strict=True)) if places else {}

    async def judge(self, probe: Exchange, _: Asked | None) -> None:
        """Set the probe's route; raises the problem that a request would be refused with."""
        if self._pages and probe.path.startswith(tuple(self._pages)):
            self._enter_page(probe)
        probe.route, probe.path_parameters = self.find(probe.method, probe.path)[1:]

    def explain(self, asked: Asked) -> list[Rule]:
        operation = asked.route.operation
        return [Rule(operation.summary if operation else "an open address of the gateway", file="")]

    def follow(self) -> Step:
        """The step that finds the route and calls its stack; raises UnknownRoute and MethodNotAllowed."""
        find = self.find
        prefixes = tuple(self._pages)

        async def route(exchange: Exchange) -> Reply:
            step, exchange.route, exchange.path_parameters = find(exchange.method, exchange.path)
            return await step(exchange)

        async def route_or_page(exchange: Exchange) -> Reply:
            if exchange.path.startswith(prefixes):
                self._enter_page(exchange)
            return await route(exchange)

        return route_or_page if prefixes else route

    def _enter_page(self, exchange: Exchange) -> None:
        """Let a call under a bundle's prefix be that of its operation; raises UnknownRoute without one."""
        prefix = next(one for one in self._pages if exchange.path.startswith(one))
        path = exchange.path[len(prefix) - 1 :]
        if (
            not exchange.raw_path.startswith(prefix.encode())
            or self.find(exchange.method, path)[1].api is None
        ):
            raise UnknownRoute(f"There is no API at {path[:200]}")
        exchange.page, exchange.path = self._pages[prefix], path
        exchange.raw_path = exchange.raw_path[len(prefix) - 1 :]


def _walk(node: _Node, path: str) -> tuple[_Node, list[str]]:
    values: list[str] = []
    for segment in path.split("/")[1:]:
        child = node.named.get(segment)
        if child is None:
            child = node.place
            if child is None or not segment:
                raise UnknownRoute(f"There is no API at {path[:200]}")
            values.append(segment)
        node = child
    if not node.steps:
        raise UnknownRoute(f"There is no API at {path[:200]}")
    return node, values


def _rest_of(node: _Node, path: str) -> _Node | None:
    """The routes for any path below the deepest node that has such; None where none has."""
    rest = None
    for segment in path.split("/")[1:]:
        rest = node.rest or rest
        child = node.named.get(segment) or (node.place if segment else None)
        if child is None:
            break
        node = child
    return rest


def _method_not_allowed(allow: str) -> Step:
    async def answer(_: Exchange) -> Reply:
        return Reply(204, [(b"allow", allow.encode())])

    return answer
