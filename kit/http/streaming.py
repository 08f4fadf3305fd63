"""A vendor's long answer, read in parts: its size is bounded, and one that is cut short is never complete."""

import asyncio
import codecs
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from contextlib import aclosing
from typing import TypeVar

import httpx

from contracts.problems import VendorUnavailable
from kit import context
from kit.http.answer import VendorAnswer
from kit.http.incremental import (
    RECORD_BYTES,
    CutShort,
    Malformed,
    XmlElement,
    XmlEvent,
    csv_records,
    xml_elements,
    xml_events,
)

T = TypeVar("T")

MAX_BYTES = 1 << 30
# httpx inflates a part whole, whatever it grows to; we inflate by steps.
ENCODINGS = {"Accept-Encoding": "gzip"}
_STEP = 1 << 16


class StreamedAnswer:
    """A 2xx answer whose body has not been read; `head` is the answer without it.

    Its parts are read once, within the block that opened it. Raises VendorUnavailable where the answer ends
    before its end, ContractViolation where it is larger than `max_bytes` or breaks its format.
    """

    def __init__(self, head: VendorAnswer, response: httpx.Response, max_bytes: int) -> None:
        self.head = head
        self.problem = ""
        self._response = response
        self._max_bytes = max_bytes

    def parts(self) -> AsyncIterator[bytes]:
        """The body, decompressed."""
        return self._explained(self._plain())

    def xml(self, name: str, *, record_bytes: int = RECORD_BYTES) -> AsyncIterator[XmlElement]:
        """Every element of a name, once it is whole; a document type declaration is refused."""
        return self._explained(xml_elements(self._plain(), name, record_bytes))

    def xml_events(self, *, record_bytes: int = RECORD_BYTES) -> AsyncIterator[XmlEvent]:
        """The pieces of the document: where one element is itself too long."""
        return self._explained(xml_events(self._plain(), record_bytes))

    def csv(
        self,
        *,
        delimiter: str = ",",
        encoding: str = "utf-8-sig",
        record_bytes: int = RECORD_BYTES,
        complete: Callable[[int], bool] | None = None,
    ) -> AsyncIterator[Mapping[str, str]]:
        """The rows under the names of the first.

        A CSV does not show that it ends early. So an answer without a length, without chunks and without
        compression is refused, unless `complete` can judge by the number of rows.
        """
        return self._explained(self._rows(delimiter, encoding, record_bytes, complete))

    async def _rows(
        self, delimiter: str, encoding: str, record_bytes: int, complete: Callable[[int], bool] | None
    ) -> AsyncIterator[Mapping[str, str]]:
        if complete is None and not self._shows_its_end():
            raise Malformed("neither a length nor chunks show its end")
        count = 0
        texts = _decoded(self._plain(), encoding)
        async for record in csv_records(texts, delimiter=delimiter, record_bytes=record_bytes):
            count += 1
            yield record
        if complete is not None and not complete(count):
            raise CutShort(f"after {count} rows")

    def _shows_its_end(self) -> bool:
        headers = self._response.headers
        framed = "content-length" in headers or "transfer-encoding" in headers
        return framed or self._encoding() != "" or not self._response.http_version.startswith("HTTP/1")

    def _encoding(self) -> str:
        encoding = self._response.headers.get("content-encoding", "").lower()
        return "" if encoding == "identity" else encoding

    async def _plain(self) -> AsyncIterator[bytes]:
        encoding = self._encoding()
        if encoding not in ("", "gzip", "deflate"):
            raise Malformed("a compression that was not asked for")
        parts = self._received() if not encoding else _inflated(self._received())
        size = 0
        async for part in parts:
            size += len(part)
            if size > self._max_bytes:
                raise Malformed(f"more than {self._max_bytes} bytes")
            yield part

    async def _received(self) -> AsyncIterator[bytes]:
        parts = aiter(self._response.aiter_raw())
        while True:
            try:
                async with asyncio.timeout(context.remaining()):
                    part = await anext(parts)
            except StopAsyncIteration:
                return
            except (httpx.TransportError, TimeoutError) as error:
                raise CutShort(type(error).__name__) from None
            yield part

    async def _explained(self, items: AsyncIterator[T]) -> AsyncIterator[T]:
        try:
            async with aclosing(items):  # pyright: ignore[reportArgumentType] - a generator
                async for item in items:
                    yield item
        except Malformed as error:
            problem = self.head.violation(str(error))
            self.problem = problem.code
            raise problem from None
        except CutShort as error:
            head, self.problem = self.head, VendorUnavailable.code
            raise VendorUnavailable(
                f"{head.instance} cut its answer to {head.method} {head.template} short ({error})",
                instance=head.instance,
                vendor_request_id=head.request_id,
            ) from None


async def _inflated(parts: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    inflater = zlib.decompressobj(wbits=47)  # gzip or zlib, as its header says
    try:
        async for part in parts:
            left = part
            while left:
                if inflater.eof:  # the next member of a gzip file
                    inflater = zlib.decompressobj(wbits=47)
                if plain := inflater.decompress(left, _STEP):
                    yield plain
                left = inflater.unused_data if inflater.eof else inflater.unconsumed_tail
        if plain := inflater.flush():
            yield plain
    except zlib.error:
        raise Malformed("not compressed as its header says") from None
    if not inflater.eof:
        raise CutShort("within the compressed body")


async def _decoded(parts: AsyncIterable[bytes], encoding: str) -> AsyncIterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        async for part in parts:
            yield decoder.decode(part)
    except UnicodeDecodeError:
        raise Malformed(f"not {encoding}") from None
    try:
        yield decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise CutShort("within a character") from None
