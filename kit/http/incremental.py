"""Long answers read record by record: CSV and XML, in memory that does not grow with the answer. Pure."""

import csv
from collections import deque
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from typing import Any, Literal

import msgspec

# Not the hardened parser of another package: document types, with which every expansion begins, are refused.
from xml.parsers import expat  # isort: skip

RECORD_BYTES = 1 << 20  # of one row or one element
DEPTH = 100


class Malformed(Exception):  # noqa: N818 - what the answer is
    """The answer breaks its format or a bound; names the place, and quotes nothing."""


class CutShort(Exception):  # noqa: N818 - what the answer is
    """The answer ended before its end."""


class XmlElement(msgspec.Struct):
    """An element that was read whole, with the text before its first child."""

    name: str
    attributes: dict[str, str]
    text: str = ""
    children: list["XmlElement"] = []

    def find(self, name: str) -> "XmlElement | None":
        """The first child of that name."""
        return next((child for child in self.children if child.name == name), None)


class XmlEvent(msgspec.Struct, frozen=True):
    """A piece of the document: `value` is an element's name or a part of its text."""

    kind: Literal["start", "text", "end"]
    value: str
    attributes: dict[str, str] = {}


async def xml_events(
    chunks: AsyncIterable[bytes], record_bytes: int = RECORD_BYTES
) -> AsyncIterator[XmlEvent]:
    """The pieces of a document, text in parts as it comes; raises Malformed and CutShort."""
    events: deque[XmlEvent] = deque()
    parser = _parser(events)
    read = 0
    async for chunk in chunks:
        _feed(parser, chunk)
        read += len(chunk)
        if read - max(parser.CurrentByteIndex, 0) > record_bytes:
            raise Malformed(f"a tag of more than {record_bytes} bytes")
        while events:
            yield events.popleft()
    _feed(parser, b"", final=True)
    while events:
        yield events.popleft()


async def xml_elements(
    chunks: AsyncIterable[bytes], name: str, record_bytes: int = RECORD_BYTES
) -> AsyncIterator[XmlElement]:
    """Every element of a name, whole, one after the other; those within one another belong to the outer."""
    path: list[XmlElement] = []
    size = 0
    async for event in xml_events(chunks, record_bytes):
        if event.kind == "start" and (path or event.value == name):
            element = XmlElement(event.value, event.attributes, children=[])
            if path:
                path[-1].children.append(element)
            path.append(element)
        size += len(event.value) + sum(len(k) + len(v) for k, v in event.attributes.items())
        size = size if path else 0
        if size > record_bytes:
            raise Malformed(f"an element {name} of more than {record_bytes} bytes")
        if event.kind == "text" and path and not path[-1].children:
            path[-1].text += event.value
        if event.kind == "end" and path:
            element = path.pop()
            if not path:
                size = 0
                yield element


async def xml_text(events: AsyncIterable[XmlEvent], name: str) -> AsyncIterator[str]:
    """The text of the elements of a name, in parts: for a CSV that stands in a document."""
    depth = 0
    async for event in events:
        if depth and event.kind == "text":
            yield event.value
        elif event.kind == "start" and (depth or event.value == name):
            depth += 1
        elif event.kind == "end" and depth:
            depth -= 1


def _parser(events: deque[XmlEvent]) -> expat.XMLParserType:
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    depth = 0

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal depth
        depth += 1
        if depth > DEPTH:
            raise Malformed(f"more than {DEPTH} elements within each other")
        events.append(XmlEvent("start", name, attributes))

    def end(name: str) -> None:
        nonlocal depth
        depth -= 1
        events.append(XmlEvent("end", name))

    def refuse(*_: Any) -> None:
        raise Malformed("a document type declaration, which is refused")

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = lambda data: events.append(XmlEvent("text", data))
    parser.StartDoctypeDeclHandler = refuse
    parser.EntityDeclHandler = refuse
    return parser


_UNFINISHED = frozenset(
    {
        expat.errors.codes[expat.errors.XML_ERROR_NO_ELEMENTS],
        expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_TOKEN],
        expat.errors.codes[expat.errors.XML_ERROR_UNCLOSED_CDATA_SECTION],
        expat.errors.codes[expat.errors.XML_ERROR_PARTIAL_CHAR],
    }
)


def _feed(parser: expat.XMLParserType, chunk: bytes, *, final: bool = False) -> None:
    try:
        parser.Parse(chunk, final)
    except expat.ExpatError as error:
        if final and error.code in _UNFINISHED:
            raise CutShort("before the document's last element was closed") from None
        raise Malformed(f"not XML at line {error.lineno}, column {error.offset}") from None


class _NeedsMoreError(Exception):
    """The lines that have come do not end the row."""


class _Lines(Iterator[str]):
    """Lines for the csv module, which asks for them as it needs them."""

    def __init__(self, record_bytes: int) -> None:
        self._ready: deque[str] = deque()
        self._row: list[str] = []
        self._size = 0
        self._tail = ""
        self._limit = record_bytes
        self._ended = False

    def add(self, text: str) -> bool:
        """Whether a line has come whole: without one, reading again is in vain."""
        *lines, self._tail = (self._tail + text).split("\n")
        self._ready.extend(line + "\n" for line in lines)
        if len(self._tail) > self._limit:
            raise Malformed(f"a row of more than {self._limit} characters")
        return bool(lines)

    def end(self) -> None:
        if self._tail:
            self._ready.append(self._tail)
        self._ended = True

    def put_back(self) -> None:
        """The row is read again from its first line once more has come."""
        self._ready.extendleft(reversed(self._row))
        self.next_row()

    def next_row(self) -> None:
        self._row.clear()
        self._size = 0

    def __next__(self) -> str:
        if not self._ready:
            raise StopIteration if self._ended else _NeedsMoreError
        line = self._ready.popleft()
        self._row.append(line)
        self._size += len(line)
        if self._size > self._limit:
            raise Malformed(f"a row of more than {self._limit} characters")
        return line


async def csv_rows(
    texts: AsyncIterable[str], *, delimiter: str = ",", record_bytes: int = RECORD_BYTES
) -> AsyncIterator[list[str]]:
    """The rows of a CSV (RFC 4180) that comes in parts, empty lines left out; raises Malformed, CutShort."""
    lines = _Lines(record_bytes)
    # A field may be as long as a row, which is bounded here.
    csv.field_size_limit(max(csv.field_size_limit(), record_bytes))
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    async for text in texts:
        if lines.add(text):
            for row in _complete(reader, lines):
                yield row
    lines.end()
    for row in _complete(reader, lines):
        yield row


def _complete(reader: Any, lines: _Lines) -> Iterator[list[str]]:
    while True:
        lines.next_row()
        try:
            row = next(reader)
        except StopIteration:
            return
        except _NeedsMoreError:
            lines.put_back()
            return
        except csv.Error as error:
            if "unexpected end of data" in str(error):
                raise CutShort("within a quoted field") from None
            raise Malformed(f"not CSV in row {reader.line_num}") from None
        if row:
            yield row


async def csv_records(
    texts: AsyncIterable[str], *, delimiter: str = ",", record_bytes: int = RECORD_BYTES
) -> AsyncIterator[dict[str, str]]:
    """Each row under the names of the first; raises Malformed where a row has more or fewer fields."""
    header: list[str] | None = None
    count = 0
    async for row in csv_rows(texts, delimiter=delimiter, record_bytes=record_bytes):
        count += 1
        if header is None:
            header = row
            if len(set(header)) < len(header):
                raise Malformed("two columns of one name")
        elif len(row) != len(header):
            raise Malformed(f"row {count} has {len(row)} fields, the first {len(header)}")
        else:
            yield dict(zip(header, row, strict=True))
