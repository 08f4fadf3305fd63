"""Projects: accounts, the deals that are being made into projects, and what became of each."""

from contracts.process.projects import ProjectView
from process_apis.views.projects.projector import TYPES, take
from process_apis.views.projects.service import ProjectViewService
from process_apis.views.projects.table import accounts, projects
from process_apis.views.view import View

VIEW = View("projects", (accounts, projects), TYPES, take, ProjectView, ProjectViewService)
