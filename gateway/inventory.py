"""The API inventory: every API at this gateway, its own included, and the lifecycle of each."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from contracts.operation import Api
from contracts.problems import Problem
from gateway.exchange import PipelineStep
from gateway.lifecycle import NONE, ApiLifecycles, retired


@dataclass(frozen=True, slots=True)
class Mounted:
    """A mounted API: its interface and frozen document, and how its tier is reached.

    A system API is mounted once per instance that serves it.
    """

    interface: type
    document: dict[str, Any]
    target: Callable[[str], PipelineStep]
    instance: str = ""

    @property
    def api(self) -> Api:
        """The interface's declaration."""
        return self.interface.__api__  # pyright: ignore[reportAttributeAccessIssue]

    @property
    def prefix(self) -> str:
        """The path prefix of all operations."""
        return self.api.prefix.replace("{instance}", self.instance)


def scopes_of(apis: Iterable[Api]) -> tuple[str, ...]:
    """Every scope that an operation of these APIs may require."""
    accesses = ("read", "write", "approve")
    return tuple(sorted({api.scope(access) for api in apis for access in accesses}))


class ApiInventory:
    """The `public` APIs, and the gateway's `own` on the internal listener.

    `lifecycles` say which versions are drafts, deprecated or retired; one that they do not name is published.
    """

    def __init__(
        self, public: Iterable[Mounted], own: Sequence[Mounted] = (), lifecycles: ApiLifecycles = NONE
    ) -> None:
        self.public = tuple(public)
        self.own = tuple(own)
        self.lifecycles = lifecycles

    @property
    def interfaces(self) -> list[type]:
        """The interfaces of all of them."""
        return [mounted.interface for mounted in (*self.public, *self.own)]

    @property
    def apis(self) -> dict[str, Api]:
        """All of them by name."""
        return {mounted.api.slug: mounted.api for mounted in (*self.public, *self.own)}

    @property
    def scopes(self) -> tuple[str, ...]:
        """Every scope that an operation may require."""
        return scopes_of(self.apis.values())

    def retired(self) -> Callable[[str], Problem | None]:
        """A lookup of the problem for a path of a retired version."""
        return retired(self.lifecycles, [mounted.api for mounted in self.public])
