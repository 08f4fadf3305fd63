"""The people who may sign in at the embedded issuer, as data."""

from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.plans import Consumer, read

Subject = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9.\-]{1,62}$")]


class Persona(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A person of the demo: `roles` count where the consumer has them too, `claims` restrict rows."""

    name: Annotated[str, Meta(min_length=1)]
    title: str = ""
    roles: tuple[str, ...] = ()
    claims: dict[str, str | tuple[str, ...]] = {}

    def roles_at(self, consumer: Consumer) -> tuple[str, ...]:
        """The roles that the person shares with a consumer."""
        return tuple(role for role in self.roles if role in consumer.roles)


class People(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Every person by their subject in tokens."""

    people: dict[Subject, Persona]


def read_people(path: Path) -> dict[str, Persona]:
    """The people of a file, none when there is no such file; raises SettingsError with every fault."""
    return read(path, People).people if path.exists() else {}
