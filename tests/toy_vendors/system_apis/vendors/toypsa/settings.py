"""system_apis: the profile of one Toy PSA account."""

import msgspec

from system_apis.connector import Profile


class Connection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The account's address and our login there; the secret must be a reference."""

    base_url: str
    client_id: str
    client_secret: str


class Changes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often the account is asked for changes, and how far back."""

    poll_seconds: float = 30.0
    overlap_seconds: float = 60.0


class ToyPsaProfile(Profile, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`instances/<name>.toml` of a Toy PSA account."""

    connection: Connection
    changes: Changes = msgspec.field(default_factory=Changes)
