"""kit/privacy: people are kept under pseudonyms; what is personal is sealed under a key of theirs.

What a person may ask of us is in `kit.privacy.requests`: it tells the audit, which stands on this.
"""

from kit.privacy.keys import Keys, SealBroken
from kit.privacy.persons import PATTERN, Person, Persons, actor, claim, is_pseudonym, keys_of, of, shown, use

__all__ = [
    "PATTERN",
    "Keys",
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
