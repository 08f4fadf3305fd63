"""Identity: verifies credentials and names the consumer and person that they identify."""

from gateway.identity.certificates import Certificates
from gateway.identity.challenges import Challenges
from gateway.identity.credential_status import CredentialStatus
from gateway.identity.dpop import Memory, Proofs
from gateway.identity.introspection import Introspector, Post
from gateway.identity.issuing.issuer import DevelopmentIssuer
from gateway.identity.keys import Fetch, IssuerKeys
from gateway.identity.tokens import Introspection, Issuer, Rules, Verified, Verifier

__all__ = [
    "Certificates",
    "Challenges",
    "CredentialStatus",
    "DevelopmentIssuer",
    "Fetch",
    "Introspection",
    "Introspector",
    "Issuer",
    "IssuerKeys",
    "Memory",
    "Post",
    "Proofs",
    "Rules",
    "Verified",
    "Verifier",
]
