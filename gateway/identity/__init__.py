"""Identity: who a token speaks for, by the keys of the issuers that we trust."""

from gateway.identity.issuer import DevelopmentIssuer
from gateway.identity.keys import Fetch, Keys
from gateway.identity.tokens import Issuer, Verified, Verifier

__all__ = ["DevelopmentIssuer", "Fetch", "Issuer", "Keys", "Verified", "Verifier"]
