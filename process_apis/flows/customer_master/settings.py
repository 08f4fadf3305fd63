"""Customer master's settings: every flow's, and when finance is asked."""

from process_apis.flows.customer_master.rules import ApprovalPolicy
from process_apis.settings import FlowSettings


class CustomerMasterSettings(FlowSettings, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """`policy` says when a person must approve."""

    policy: ApprovalPolicy = ApprovalPolicy()
