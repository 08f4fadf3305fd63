"""Where the claims of an issuer's tokens are, and which roles its groups become."""

from collections.abc import Mapping
from typing import Any


def texts_at(claims: Mapping[str, Any], place: str) -> tuple[str, ...]:
    """The texts of a claim, one or a list of them; none where it is absent or something else.

    `place` is the claim's name, or the way to one inside others: ``realm_access.roles``.
    """
    found: Any = claims.get(place)
    if found is None:
        found = claims
        for step in place.split("."):
            found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return (found,)
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list | tuple) else ()


def roles_of(
    claims: Mapping[str, Any], *, roles_at: str, groups_at: str, meaning: Mapping[str, tuple[str, ...]]
) -> frozenset[str]:
    """The roles that a token names itself, and those that its groups mean; an unknown group means none."""
    groups = texts_at(claims, groups_at) if groups_at else ()
    meant = (role for group in groups for role in meaning.get(group, ()))
    return frozenset((*texts_at(claims, roles_at), *meant))
