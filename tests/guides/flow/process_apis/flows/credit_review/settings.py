"""Credit review's settings."""

from decimal import Decimal

import msgspec

from process_apis.settings import FlowSettings


class CreditReviewSettings(FlowSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`grant_up_to` is the highest amount that is granted, by currency."""

    grant_up_to: dict[str, Decimal] = msgspec.field(default_factory=dict)
