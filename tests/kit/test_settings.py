"""tests/kit: settings and files of any form are read, or their faults are told."""

from contextlib import suppress
from pathlib import Path

import msgspec
import pytest

from kit.settings import SettingsError, load, read_toml
from tests.support.hostile_values import TEXTS


class Wait(msgspec.Struct, frozen=True):
    seconds: float = 1.0
    times: int = 1


class Limits(msgspec.Struct, frozen=True):
    times: int = 1


@pytest.mark.parametrize("text", [*TEXTS.values(), "inf", "-inf", "nan"])
def test_a_variable_of_any_form_is_a_finite_number_or_a_fault(text: str) -> None:
    """No start fails later on a number that cannot be computed with."""
    for name in ("TOY_SECONDS", "TOY_TIMES"):
        with suppress(SettingsError):
            wait = load(Wait, "TOY", {name: text})
            assert abs(int(wait.seconds * 1000)) + abs(wait.times) < 10**30


@pytest.mark.parametrize(
    "content",
    [b"times = 1" + b"0" * 5000, b"times = " + b"[" * 5000, b"times = '\xff'", b"\x00", b"times = nan"],
)
def test_a_file_of_any_form_has_its_fault_told_with_its_name(tmp_path: Path, content: bytes) -> None:
    """What cannot be decoded, and what Python cannot hold, is a fault of the file as every other is."""
    path = tmp_path / "toy.toml"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=r"toy\.toml"):
        read_toml(path, Limits)
