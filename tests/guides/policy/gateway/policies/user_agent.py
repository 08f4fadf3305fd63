"""User agent: which client software is refused, by what it says of itself; unconfigured, none."""

from typing import Annotated

import msgspec
from msgspec import Meta

from contracts.problems import Forbidden
from gateway.exchange import Asked, Exchange, PipelineStep, Reply, Route, Rule


class UserAgentSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`blocked` are texts that no User-Agent may contain, in any case of letters."""

    blocked: Annotated[tuple[Annotated[str, Meta(min_length=3)], ...], Meta(min_length=1)]


class UserAgent:
    """Raises Forbidden for blocked software; a request without a User-Agent is admitted."""

    def __init__(self, settings: UserAgentSettings | None) -> None:
        self._settings = settings

    def wrap(self, route: Route | None, call_next: PipelineStep) -> PipelineStep:
        if self._settings is None or route is None:
            return call_next
        blocked = tuple(text.lower().encode() for text in self._settings.blocked)

        async def user_agent(exchange: Exchange) -> Reply:
            agent = exchange.headers.get(b"user-agent", b"").lower()
            if any(text in agent for text in blocked):
                raise Forbidden("This client software is blocked.")
            return await call_next(exchange)

        return user_agent

    def explain(self, _: Asked) -> list[Rule]:
        if self._settings is None:
            return []
        names = ", ".join(self._settings.blocked)
        return [Rule(f"no client software whose User-Agent contains {names}", "user_agent.blocked")]
