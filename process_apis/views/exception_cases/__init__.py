"""Exception cases: the business cases that wait for a person, with whose they are."""

from contracts.process.exception_cases import ExceptionCaseView
from process_apis.views.exception_cases.projector import TYPES, take
from process_apis.views.exception_cases.service import ExceptionCaseViewService
from process_apis.views.exception_cases.table import exception_cases
from process_apis.views.view import View

VIEW = View("exception_cases", (exception_cases,), TYPES, take, ExceptionCaseView, ExceptionCaseViewService)
