"""Projects: the deals that are being made into projects, and what became of each."""

from process_apis.views.projects.overview import get_overview
from process_apis.views.projects.projector import TYPES, take
from process_apis.views.projects.table import projects
from process_apis.views.view import View

VIEW = View("projects", projects, TYPES, take)

__all__ = ["VIEW", "get_overview"]
