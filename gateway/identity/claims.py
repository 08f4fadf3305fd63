"""The claims of an issuer's tokens by name or path, and the roles of its groups."""

from collections.abc import Mapping
from typing import Any


def texts_at(claims: Mapping[str, Any], place: str) -> tuple[str, ...]:
    """The texts of a claim, one or a list of them; none where it is absent or something else.

    `place` is the claim's name, or a path to a nested one: ``realm_access.roles``.
    """
    value: Any = claims.get(place)
    if value is None:
        value = claims
        for step in place.split("."):
            value = value.get(step) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return (value,)
    return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list | tuple) else ()


def roles_of(
    claims: Mapping[str, Any], *, roles_at: str, groups_at: str, meaning: Mapping[str, tuple[str, ...]]
) -> frozenset[str]:
    """The roles that a token names, and those of its groups; an unknown group has none."""
    groups = texts_at(claims, groups_at) if groups_at else ()
    group_roles = (role for group in groups for role in meaning.get(group, ()))
    return frozenset((*texts_at(claims, roles_at), *group_roles))
