"""Challenges: the WWW-Authenticate headers of refusals (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1)."""

from contracts.problems import REALM, InvalidProof, InvalidToken, NonceNeeded
from gateway.identity.jose import ALGORITHMS

_ERRORS = {kind: kind.code for kind in (InvalidToken, InvalidProof, NonceNeeded)}


class Challenges:
    """WWW-Authenticate for the protected resource with its metadata at an address."""

    def __init__(self, resource_metadata: str) -> None:
        common = f'realm="{REALM}", resource_metadata="{resource_metadata}"'
        self._schemes = {
            "bearer": f"Bearer {common}",
            "dpop": f'DPoP {common}, algs="{" ".join(ALGORITHMS)}"',
        }

    def bare(self) -> dict[str, str]:
        """For a request without a credential: every accepted scheme, and no error."""
        return {"WWW-Authenticate": ", ".join(self._schemes.values())}

    def malformed(self, scheme: str, description: str) -> dict[str, str]:
        """For a credential that is malformed, in any scheme."""
        return self._error(scheme, "invalid_request", description)

    def refuse(self, refusal: InvalidToken, scheme: str) -> InvalidToken:
        """The refusal with the challenge of the required scheme, or unchanged when it has a challenge."""
        if "WWW-Authenticate" in refusal.headers:
            return refusal
        challenge = self._error(scheme, _ERRORS[type(refusal)], refusal.detail)
        return type(refusal)(refusal.detail, headers={**refusal.headers, **challenge})

    def insufficient(self, authorization: bytes, scope: str) -> dict[str, str]:
        """For a missing scope, in the scheme of the request (RFC 6750 §3.1, RFC 9449 §7.1)."""
        scheme = "dpop" if authorization[:5].lower() == b"dpop " else "bearer"
        challenge = f'{self._schemes[scheme]}, error="insufficient_scope", scope="{scope}"'
        return {"WWW-Authenticate": challenge}

    def _error(self, scheme: str, error: str, description: str) -> dict[str, str]:
        challenge = f'{self._schemes[scheme]}, error="{error}", error_description="{description}"'
        return {"WWW-Authenticate": challenge}
