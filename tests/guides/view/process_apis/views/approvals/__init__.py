"""Approvals: when each customer was approved."""

from contracts.process.approvals import ApprovalView
from process_apis.views.approvals.projector import TYPES, take
from process_apis.views.approvals.service import ApprovalViewService
from process_apis.views.approvals.table import approvals
from process_apis.views.view import View

VIEW = View("approvals", (approvals,), TYPES, take, ApprovalView, ApprovalViewService)
