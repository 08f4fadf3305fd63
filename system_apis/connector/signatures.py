"""system_apis: verifies the HMAC under a webhook: in constant time, then its age; for any vendor."""

import base64
import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from contracts.problems import InvalidToken
from kit.secrets import Secret
from system_apis.connector.values import whole_number
from system_apis.connector.webhooks import WebhookRequest

Signed = Callable[[WebhookRequest, str], bytes]


@dataclass(frozen=True)
class HmacSignature:
    """How one vendor signs: `signed` returns the bytes under the HMAC, from request and timestamp text.

    The timestamp counts `ticks` a second. A request may be `skew_seconds` old, or ahead of our clock. Within
    that time it can be repeated by whoever has read it, so its changes are stored under ids that a
    repetition has too: the vendor's event ids, where those are signed, or `digest`.
    """

    header: str
    signed: Signed
    timestamp_header: str = ""
    algorithm: Literal["sha256", "sha512"] = "sha256"
    encoding: Literal["hex", "base64"] = "hex"
    prefix: str = ""
    ticks: int = 1
    skew_seconds: float = 300.0
    now: Callable[[], float] = time.time

    def verify(self, request: WebhookRequest, secrets: Sequence[Secret]) -> None:
        """Raises InvalidToken unless one of the secrets, of which a rotation has two, signed it just now."""
        message = self._message(request)
        given = request.headers.get(self.header, "").encode()
        # All are compared, however the first comes out.
        matches = [hmac.compare_digest(self._sign(secret, message), given) for secret in secrets]
        if not any(matches):
            raise InvalidToken("the webhook is not signed with our secret")
        # Only after the signature: a forger learns nothing of our clock.
        if self.timestamp_header and not self._is_fresh(request.headers.get(self.timestamp_header, "")):
            raise InvalidToken("the webhook is too old or from the future")

    def digest(self, request: WebhookRequest) -> str:
        """An id of what was signed: for vendors whose events have none."""
        return hashlib.sha256(self._message(request)).hexdigest()

    def _message(self, request: WebhookRequest) -> bytes:
        return self.signed(request, request.headers.get(self.timestamp_header, ""))

    def _sign(self, secret: Secret, message: bytes) -> bytes:
        mac = hmac.new(secret.reveal().encode(), message, self.algorithm).digest()
        text = mac.hex() if self.encoding == "hex" else base64.b64encode(mac).decode()
        return (self.prefix + text).encode()

    def _is_fresh(self, stamp: str) -> bool:
        signed_at = whole_number(stamp)
        return signed_at is not None and abs(self.now() - signed_at / self.ticks) <= self.skew_seconds
