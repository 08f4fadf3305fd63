"""Kantata stand-in: what can be said of a collection: fields, associations, limits, events."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Many:
    """A to-many association: rows of `collection` by foreign key, stored list, subject or join.

    With `mine` it is to the caller's own one, which is shown by its single id.
    """

    collection: str
    foreign: str = ""
    stored: str = ""
    subject: bool = False
    through: tuple[str, str, str] = ("", "", "")
    always: bool = False
    mine: bool = False


@dataclass(frozen=True)
class Collection:
    key: str
    singular: str
    subject: str
    first_id: int
    event: str = ""
    create: frozenset[str] = frozenset()
    update: frozenset[str] = frozenset()
    required: dict[str, str] = field(default_factory=dict)
    belongs: dict[str, tuple[str, str]] = field(default_factory=dict)
    many: dict[str, Many] = field(default_factory=dict)
    optional: frozenset[str] = frozenset()
    bulk: int = 0
    deletable: bool = False
    admin_writes: bool = False
    order: str = "updated_at:desc"
    searched: tuple[str, ...] = ()


BLANK = "can't be blank"
REFERENCES = Many("external_references", subject=True)
FIELD_VALUES = Many("custom_field_values", subject=True)


def needs(text: str) -> dict[str, str]:
    return dict.fromkeys(text.split(), BLANK)
