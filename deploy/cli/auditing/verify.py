"""Verifies an export of Enfilade's audit trail. Needs Python 3.10 or newer, and nothing else.

usage: python verify.py [FOLDER [COPY]]

FOLDER holds lines.jsonl, anchors.jsonl and manifest.json (by default where this file is). COPY is a file of
anchors that was stored elsewhere, an object with "number" and "hash" in each line. The exit status is 0 when
everything is whole, else 1.
"""

import hashlib
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Head = list[Any]  # a chain's last number and hash
GENESIS: Head = [0, "0" * 64]
BEFORE, BETWEEN, AFTER = b'{"hash":"', b'","told":', b"}"
HASH_END = len(BEFORE) + 64
CONTENT_START = HASH_END + len(BETWEEN)


class Check:
    """One reading of an export."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.faults: list[str] = []
        self.manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        self.anchors: dict[int, tuple[str, dict[str, Head]]] = {}
        self.last: dict[str, Head] = {}
        self.seen: dict[tuple[str, int], str] = {}
        self.rows: dict[str, set[int]] = {}

    def run(self, copy: Path | None) -> None:
        for name, digest in self.manifest["sha256"].items():
            with (self.folder / name).open("rb") as file:
                if hashlib.sha256(file.read()).hexdigest() != digest:
                    self.faults.append(f"{name} is not the file that was exported")
        self.read_anchors()
        self.read_lines()
        self.check_rows()
        self.compare_heads()
        if copy is not None:
            self.compare_copy(copy)

    def records(self, name: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Each line's hash and content, its bytes hashed."""
        with (self.folder / name).open("rb") as file:
            for number, raw in enumerate(file, 1):
                line = raw.rstrip(b"\n")
                shaped = (
                    line.startswith(BEFORE)
                    and line[HASH_END:CONTENT_START] == BETWEEN
                    and line.endswith(AFTER)
                )
                content, digest = line[CONTENT_START:-1], line[len(BEFORE) : HASH_END].decode("latin-1")
                if not shaped or hashlib.sha256(content).hexdigest() != digest:
                    self.faults.append(f"{name}: line {number} was altered")
                try:
                    yield digest, json.loads(content)
                except ValueError:
                    self.faults.append(f"{name}: line {number} is no JSON")

    def read_anchors(self) -> None:
        before = None
        for digest, anchor in self.records("anchors.jsonl"):
            if before is not None and (anchor["number"], anchor["previous"]) != (before[0] + 1, before[1]):
                self.faults.append(f"anchor {anchor['number']}: one before it was removed or replaced")
            before = (anchor["number"], digest)
            self.anchors[anchor["number"]] = (digest, anchor["heads"])
        if len(self.anchors) != self.manifest["anchors"]:
            self.faults.append("anchors.jsonl: anchors were removed or added")
        if self.manifest["after"] in self.anchors:
            self.last = dict(self.anchors[self.manifest["after"]][1])

    def read_lines(self) -> None:
        wanted = {(chain, head[0]) for _, heads in self.anchors.values() for chain, head in heads.items()}
        count = 0
        for digest, line in self.records("lines.jsonl"):
            count += 1
            chain, place = line["chain"], line["seq"]
            number, previous = self.last.get(chain, GENESIS)
            if (place, line["previous"]) != (number + 1, previous):
                self.faults.append(f"chain {chain}: a line before number {place} was removed or replaced")
            if (chain, place) in wanted:
                self.seen[chain, place] = digest
            self.last[chain] = [place, digest]
            row = line["detail"].get("row")
            if row:
                self.rows.setdefault(row["writer"], set()).add(row["number"])
        if count != self.manifest["lines"]:
            self.faults.append("lines.jsonl: lines were removed or added")

    def check_rows(self) -> None:
        """A writer numbers the rows of its batches: a missing one was never written."""
        for writer, numbers in sorted(self.rows.items()):
            missing = max(numbers) - min(numbers) + 1 - len(numbers)
            if missing:
                self.faults.append(f"writer {writer}: {missing} of its rows were never written")

    def compare_heads(self) -> None:
        first = self.anchors.get(self.manifest["after"], ("", {}))[1]
        for number, (_, heads) in self.anchors.items():
            for chain, head in heads.items():
                known = head[1] if first.get(chain) == head else self.seen.get((chain, head[0]))
                if known != head[1]:
                    self.faults.append(
                        f"chain {chain}: line {head[0]} is not the one that anchor {number} saw"
                    )
        if self.manifest["upto"] and self.last != self.anchors[self.manifest["upto"]][1]:
            self.faults.append("lines.jsonl does not end at the last anchor's heads")

    def compare_copy(self, copy: Path) -> None:
        for text in copy.read_text(encoding="utf-8").splitlines():
            anchor = json.loads(text)
            published = self.anchors.get(anchor["number"])
            if published is not None and published[0] != anchor["hash"]:
                self.faults.append(f"anchor {anchor['number']} is not the one that was kept elsewhere")

    def beyond(self) -> int:
        """The number of lines that no anchor covers yet."""
        heads = self.anchors[max(self.anchors)][1] if self.anchors else {}
        return sum(place - heads.get(chain, GENESIS)[0] for chain, (place, _) in self.last.items())


def visible(text: str) -> str:
    """The text with everything that a terminal might obey, or not show, as its escape."""
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text)


def main(arguments: list[str]) -> int:
    folder = Path(arguments[0]) if arguments else Path(__file__).parent
    check = Check(folder)
    check.run(Path(arguments[1]) if len(arguments) > 1 else None)
    period, lines = visible(str(check.manifest["period"])), check.manifest["lines"]
    print(f"{period}: {lines} lines, {len(check.anchors)} anchors.")
    if check.anchors:
        number = max(check.anchors)
        print(f"Last anchor: {number} {check.anchors[number][0]}")
    if check.beyond():
        print(f"{check.beyond()} lines are not covered by an anchor yet.")
    for fault in check.faults:
        print(f"FAULT: {visible(fault)}")
    print("Something is not as it was written." if check.faults else "Everything is as it was written.")
    return 1 if check.faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
