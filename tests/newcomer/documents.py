"""tests/newcomer: the commands that the documents show, in the order in which they can be run."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# At a line's begin, or indented; what is behind two or more blanks is an explanation.
SHOWN = re.compile(r"^ *((?:[A-Z_]+=\S+ )?(?:\.venv/bin/)?enfilade [^\n]*?)(?:  +\S[^\n]*)?$", re.MULTILINE)
# Those who write into the tree come last, and those who need what others made come behind them.
ORDER = (
    "README.md",
    "docs/reference/identity.md",
    "docs/reference/operating.md",
    "docs/guides/*.md",
    "docs/**/*.md",
)
NOT_RUN = {
    "ENFILADE_DATABASE_URL=…": "needs an external database; tests/deploy/cli/commands/test_backup.py",
    "ENFILADE_CONFIG=my-config": "needs a vendor of one's own; tests/toy_vendors/test_toy_vendors.py",
    "enfilade up": "serves beside what README's command serves; tests/deploy/cli/commands/test_up.py",
    "vendor new": "writes a skeleton that is meant to fail; tests/deploy/cli/test_vendor_skeleton.py",
}
SERVE = {"enfilade sandbox": "http://"}
KEY = re.compile(r"\bkey_\w+")


@dataclass(frozen=True, slots=True)
class Command:
    """A command as a document shows it; `serves` is what it prints once it serves, if it does not end."""

    text: str
    serves: str = ""

    def learn(self, printed: str) -> dict[str, str]:
        """What a later command's placeholder stands for, by what this one printed."""
        key = KEY.search(printed)
        return {"key_…": key.group()} if key else {}


def commands(tree: Path) -> Iterator[Command]:
    """Every command of the documents once, but those of `NOT_RUN`."""
    seen: set[str] = set()
    for pattern in ORDER:
        for document in sorted(tree.glob(pattern)):
            for text in SHOWN.findall(document.read_text(encoding="utf-8")):
                same = text.removeprefix(".venv/bin/")
                if same not in seen and not any(part in text for part in NOT_RUN):
                    seen.add(same)
                    yield Command(text, next((SERVE[each] for each in SERVE if each in text), ""))
