"""Challenges: the WWW-Authenticate headers of refusals (RFC 6750 §3, RFC 9449 §7.1, RFC 9728 §5.1)."""

from contracts.problems import InvalidProof, InvalidToken, NonceNeeded, challenge
from gateway.identity.jose import ALGORITHMS

_ERRORS = {kind: kind.code for kind in (InvalidToken, InvalidProof, NonceNeeded)}


class Challenges:
    """WWW-Authenticate for the protected resource with its metadata at an address."""

    def __init__(self, resource_metadata: str) -> None:
        self._bearer = ("Bearer", {"resource_metadata": resource_metadata})
        self._dpop = ("DPoP", {"resource_metadata": resource_metadata, "algs": " ".join(ALGORITHMS)})

    def bare(self) -> dict[str, str]:
        """For a request without a credential: every accepted scheme, and no error."""
        every = (challenge(scheme, **common) for scheme, common in (self._bearer, self._dpop))
        return {"WWW-Authenticate": ", ".join(every)}

    def malformed(self, scheme: str, description: str) -> dict[str, str]:
        """For a credential that is malformed, in any scheme."""
        return self._error(scheme, error="invalid_request", error_description=description)

    def refuse(self, refusal: InvalidToken, scheme: str) -> InvalidToken:
        """The refusal with the challenge of the required scheme, or unchanged when it has a challenge."""
        if "WWW-Authenticate" in refusal.headers:
            return refusal
        error = _ERRORS[type(refusal)]
        required = self._error(scheme, error=error, error_description=refusal.detail)
        return type(refusal)(refusal.detail, headers={**refusal.headers, **required})

    def insufficient(self, authorization: bytes, scope: str) -> dict[str, str]:
        """For a missing scope, in the scheme of the request (RFC 6750 §3.1, RFC 9449 §7.1)."""
        scheme = "dpop" if authorization[:5].lower() == b"dpop " else "bearer"
        return self._error(scheme, error="insufficient_scope", scope=scope)

    def _error(self, scheme: str, **parameters: str) -> dict[str, str]:
        name, common = self._dpop if scheme == "dpop" else self._bearer
        return {"WWW-Authenticate": challenge(name, **common, **parameters)}
