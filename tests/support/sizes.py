"""tests/support: the lines of each vendor's package, and of what the vendors share (make sizes)."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from system_apis.app import vendors

ROOT = Path(__file__).parents[2] / "system_apis"
SHARED = ("connector", "platforms")


def modules(folder: Path) -> list[Path]:
    """The modules that a person wrote."""
    return [path for path in folder.rglob("*.py") if "proto" not in path.parts]


def lines(paths: Iterable[Path]) -> tuple[int, int]:
    """All lines, and those that are not blank."""
    texts = [line for path in paths for line in path.read_text(encoding="utf-8").splitlines()]
    return len(texts), sum(1 for line in texts if line.strip())


def sizes() -> Iterator[tuple[str, int, int]]:
    """Each package with its lines."""
    for vendor in vendors():
        yield (f"vendors/{vendor}", *lines(modules(ROOT / "vendors" / vendor)))
    for package in SHARED:
        yield (package, *lines(modules(ROOT / package)))


if __name__ == "__main__":
    for name, total, written in sizes():
        print(f"{name:24}{total:>7,} lines, {written:>6,} not blank")  # noqa: T201
