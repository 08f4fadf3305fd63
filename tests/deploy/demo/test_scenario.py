"""The demo says of each step what became of it."""

import pytest

from deploy.demo.scenario import step_line
from process_apis.flows.opportunity_to_project.steps import NOT_SETTLED


@pytest.mark.parametrize(
    ("status", "detail", "line"),
    [
        ("running", "", ""),
        ("done", NOT_SETTLED, ""),
        ("waiting", "", "… Ask"),
        ("done", "approved", "✓ Ask: approved"),
        ("failed", "refused", "✗ Ask: refused"),
    ],
)
def test_a_tick_stands_for_what_is_done(status: str, detail: str, line: str) -> None:
    """A look at a customer that is not settled yet is no result, though the step is done: it comes again."""
    assert step_line({"title": "Ask", "status": status, "detail": detail}) == line
