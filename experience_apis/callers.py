"""What audiences know of their caller, beyond its identity."""

from contracts.problems import Forbidden
from kit import context

INSTANCE_CLAIM = "instance"


def callers_instance(system: str) -> str:
    """The instance of a kind of system that the caller's token names; raises Forbidden without one."""
    caller = context.current().caller
    instance = caller.claims.get(INSTANCE_CLAIM) if caller else None
    if not instance:
        raise Forbidden(
            f"The token names no {system} instance (claim “instance”); ask for a token of your {system}."
        )
    return str(instance)
