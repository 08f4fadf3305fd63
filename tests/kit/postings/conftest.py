"""tests/kit/postings: what the tests of workflows have, too."""

from tests.kit.workflows.conftest import deployment

__all__ = ["deployment"]
