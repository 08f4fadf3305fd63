"""deploy/cli/auditing: an export of the audit trail that an auditor can verify alone, without us."""

import hashlib
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec

from contracts.admin.audit import AuditAnchor, AuditLine, AuditPeriod
from kit.audit.chain import canonical, canonical_anchor

VERIFIER = Path(__file__).parent / "verify.py"
README = """\
The audit trail of {period}, exported by Enfilade.

  lines.jsonl     {lines} lines: who did what with which outcome
  anchors.jsonl   {anchors} anchors: the state of the whole trail, once an hour
  manifest.json   the period, and what the two files must be
  verify.py       verifies all of it; needs Python 3.10 or newer and nothing else: python verify.py

Each line of both files is an object of two members. "told" is the content, "hash" the SHA-256 of
exactly the bytes after "told": up to the closing brace. In a line, "chain" and "seq" are its position,
"previous" is the hash of the line before it in its chain, "at" is in seconds since 1970-01-01 UTC. In an
anchor, "heads" has the number and hash of each chain's last line at that time, "previous" is the hash of the
anchor before. So an altered, removed, added or moved line is detected, and an anchor that was stored
elsewhere proves that the trail up to it is unaltered. Ask for such a copy, then: python verify.py . COPY

The lines start right after the last anchor before the period and end with the first anchor after it, so up to
an hour more is here than was requested. While a period is open no anchor covers its last lines yet;
verify.py prints how many these are.

An "actor" that starts with "per_" is a person, under a pseudonym. "sealed" in a detail is encrypted under
that person's key; the hashes are over the ciphertext, so they are valid even when the key was destroyed.
"""


class Export:
    """Writes a folder line by line, so that its length does not matter."""

    def __init__(self, folder: Path, period: AuditPeriod) -> None:
        self._folder = folder
        self._period = period
        self._lines = 0
        folder.mkdir(parents=True)
        self._write("anchors.jsonl", (_anchor(anchor) for anchor in period.anchors))

    def add(self, lines: Iterable[AuditLine]) -> None:
        """Add lines in the order of their chains."""
        self._lines += self._write("lines.jsonl", (_line(line) for line in lines))

    def finish(self) -> int:
        """Write the other files; returns the number of lines."""
        self.add(())
        counted = {"lines": self._lines, "anchors": len(self._period.anchors)}
        content = {"period": self._period.period, "after": self._period.after, "upto": self._period.upto}
        files = {name: _digest(self._folder / name) for name in ("lines.jsonl", "anchors.jsonl")}
        manifest = msgspec.json.format(msgspec.json.encode({**content, **counted, "sha256": files}), indent=2)
        (self._folder / "manifest.json").write_bytes(manifest + b"\n")
        text = README.format(period=self._period.period, **counted)
        (self._folder / "README.txt").write_text(text, encoding="utf-8")
        shutil.copyfile(VERIFIER, self._folder / "verify.py")
        return self._lines

    def _write(self, name: str, lines: Iterable[bytes]) -> int:
        count = 0
        with (self._folder / name).open("ab") as file:
            for line in lines:
                file.write(line)
                count += 1
        return count


def _line(line: AuditLine) -> bytes:
    row: dict[str, Any] = msgspec.structs.asdict(line)
    return _export_line(line.hash, canonical(row))


def _anchor(anchor: AuditAnchor) -> bytes:
    return _export_line(
        anchor.hash, canonical_anchor(anchor.number, anchor.at, anchor.previous, anchor.heads)
    )


def _export_line(digest: str, content: bytes) -> bytes:
    return b'{"hash":"' + digest.encode() + b'","told":' + content + b"}\n"


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
