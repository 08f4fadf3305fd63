"""A contact: a person at a customer."""

import msgspec

from contracts.canonical.values import Id, Instant, LeftOut, Ref


class Contact(msgspec.Struct, frozen=True, omit_defaults=True):
    id: Id
    version: str
    updated_at: Instant
    name: str
    email: str = ""
    phone: str = ""
    roles: tuple[str, ...] = ()
    refs: tuple[Ref, ...] = ()


class Contacts(msgspec.Struct, frozen=True, omit_defaults=True):
    items: tuple[Contact, ...]
    next_cursor: str | None = None
    left_out: tuple[LeftOut, ...] = ()
