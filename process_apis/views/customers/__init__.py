"""Customers: the firms that we sell to, as customer master approved them."""

from contracts.process.customers import CustomerView
from process_apis.views.customers.projector import TYPES, take
from process_apis.views.customers.service import CustomerViewService
from process_apis.views.customers.table import customers
from process_apis.views.view import View

VIEW = View("customers", (customers,), TYPES, take, CustomerView, CustomerViewService)
