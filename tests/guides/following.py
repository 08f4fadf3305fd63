"""tests/guides: a plugin of pytest that does what a guide says, in a copy of the tree.

The example's files and edits are in the copy already: before any test is collected, the guides' commands
are run, and the database gets the example's tables.
"""

import os
from pathlib import Path

import pytest

from deploy.cli import main as cli
from kit.database import migrate


def pytest_configure() -> None:
    """Run the commands, then migrate the database; ends the run where a command fails."""
    for command in os.environ["GUIDE_COMMANDS"].splitlines():
        if status := cli.main(command.split()):
            pytest.exit(f"enfilade {command} failed", status)
    migrate(os.environ["GUIDE_DATABASE_URL"], *map(str, Path.cwd().glob("*/migrations")))
