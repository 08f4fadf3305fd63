"""A child of the launcher: what is told of one that has ended or is late."""

from pathlib import Path
from typing import Any

import pytest

from deploy.process.children import Child

ERROR = '{"level": "error", "event": "instance_not_open", "instance": "erp-1", "faults": ["no such file"]}'


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((ERROR, '{"level": "info", "event": "Started"}'), "instance_not_open: erp-1: no such file"),
        (('{"level": "critical", "event": "The port is taken."}',), "The port is taken"),
        (("Killed",), "Killed"),
    ],
)
def test_the_last_complaint_is_told_with_what_it_is_about(
    tmp_path: Path, lines: tuple[str, ...], words: str
) -> None:
    """An error's event alone says neither which instance it concerns nor why."""
    log = tmp_path / "server.log"
    log.write_text("\n".join(lines))
    nothing: Any = None
    assert Child("The server", nothing, log, nothing).last_words() == f"{words} (its log is {log})."
