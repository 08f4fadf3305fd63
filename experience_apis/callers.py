"""What audiences know of their caller, beyond its identity."""

from contracts.problems import Forbidden
from contracts.rows import names_of
from kit import context

INSTANCE_CLAIM = "instance"


def callers_instance(system: str) -> str:
    """The instance of a kind of system that the caller's token names; raises Forbidden without one."""
    caller = context.current().caller
    names = names_of(caller.claims, INSTANCE_CLAIM) if caller else None
    if names is None or len(names) != 1:
        raise Forbidden(
            f"The token does not name one {system} instance (claim “instance”); ask for such a token."
        )
    return names[0]
