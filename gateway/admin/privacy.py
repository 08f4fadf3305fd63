"""The admin API of privacy: exports and erases the data of a person."""

from collections.abc import Callable

import msgspec

from contracts.admin.privacy import ErasureWanted, PersonalData, PersonErased, PersonNamed
from kit.database import Database
from kit.privacy import requests


class PrivacyService:
    """Exports stored personal data, and erases it by destroying its keys."""

    def __init__(self, store: Callable[[], Database]) -> None:
        self._store = store

    async def export_person(self, body: PersonNamed) -> PersonalData:
        """All stored data about the person."""
        async with self._store().begin() as connection:
            held = await requests.export(connection, body.person)
        return PersonalData(
            person=held.person,
            fields=held.fields,
            held=msgspec.to_builtins(held.rows),
            first_seen_at=held.first_seen_at,
            seen_at=held.seen_at,
            erased_at=held.erased_at,
        )

    async def erase_person(self, body: ErasureWanted) -> PersonErased:
        """The erasure."""
        async with self._store().begin() as connection:
            done = await requests.erase(connection, body.person, body.reason)
        return PersonErased(done.person, done.erased_at)
