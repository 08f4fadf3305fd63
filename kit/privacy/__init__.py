"""kit/privacy: people are stored under pseudonyms; personal data is sealed under a key of each person.

What a person may request is in `kit.privacy.requests`: it writes to the audit, which builds on this.
"""

from kit.privacy.keys import DerivedKeys, SealBroken
from kit.privacy.persons import (
    PATTERN,
    KeysMissing,
    Person,
    Persons,
    actor,
    claim,
    is_pseudonym,
    keys_of,
    of,
    shown,
    use,
)

__all__ = [
    "PATTERN",
    "DerivedKeys",
    "KeysMissing",
    "Person",
    "Persons",
    "SealBroken",
    "actor",
    "claim",
    "is_pseudonym",
    "keys_of",
    "of",
    "shown",
    "use",
]
