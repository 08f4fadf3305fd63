"""system_apis: the profile of one Toy PSA account: where it is, how to log in, and how it names things.

What the profiles of a capability share is in `system_apis.connector.crm`, `erp` and `psa`.
"""

from system_apis.connector.profile import Connection, Polling, Profile, SecretRef


class Access(Connection, frozen=True, kw_only=True):
    """The account's address and our login there; every text may be a reference, the secret must be one.

    `settle_seconds` is how long a job may take whose id was lost.
    """

    base_url: str
    client_id: str
    client_secret: SecretRef
    settle_seconds: float = 0.3


class ToypsaProfile(Profile, frozen=True, kw_only=True):
    """`instances/<name>.toml` of a Toy PSA account."""

    connection: Access
    changes: Polling = Polling()
