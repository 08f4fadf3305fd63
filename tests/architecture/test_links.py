"""Documentation points only to what exists."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def documents() -> list[Path]:
    """Every Markdown file of the project, without those of environments and caches."""
    return [
        path
        for path in ROOT.rglob("*.md")
        if not any(part.startswith(".") or part == "node_modules" for part in path.relative_to(ROOT).parts)
    ]


def anchors(path: Path) -> set[str]:
    """The fragment of each heading, as GitHub makes it."""
    headings = HEADING.findall(path.read_text(encoding="utf-8"))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def resolves(document: Path, link: str) -> bool:
    """Whether a relative link leads to a file or folder, and its fragment to a heading."""
    path, _, fragment = link.partition("#")
    target = document.parent / path if path else document
    return target.exists() and (not fragment or fragment in anchors(target))


def test_every_relative_link_resolves() -> None:
    """Every relative link in a Markdown file leads to a file, a folder or a heading of the project."""
    assert documents()
    broken = [
        f"{document.relative_to(ROOT)}: {link}"
        for document in documents()
        for link in LINK.findall(document.read_text(encoding="utf-8"))
        if not re.match(r"[a-z]+:", link) and not resolves(document, link)
    ]
    assert broken == []
