"""What a review begins with, and what it publishes about itself."""

import msgspec

from contracts.process.credit_review import CreditRequest

NAME = "credit-review"


class ReviewInput(CreditRequest, frozen=True):
    """The request."""


class ReviewState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The answer, once there is one."""

    granted: bool | None = None
    reason: str = ""
