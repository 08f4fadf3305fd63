"""Flow health: what is under way in the flows, how old it is, what is late, and how much gets done."""

from contracts.process.flow_health import FlowHealthView
from process_apis.views.flow_health.projector import TYPES, take
from process_apis.views.flow_health.service import FlowHealthViewService
from process_apis.views.flow_health.table import flow_runs
from process_apis.views.view import View

VIEW = View("flow_health", (flow_runs,), TYPES, take, FlowHealthView, FlowHealthViewService)
