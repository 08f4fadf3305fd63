"""tests of kit/http: long answers are read in parts, bounded, and never complete when cut short."""

import gzip
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from contracts.problems import ContractViolation, Problem, VendorRejected, VendorUnavailable
from kit.http import Budget, ClientCredentials, Limits, Outbound, VendorAnswer
from kit.http.incremental import XmlElement, csv_records, csv_rows, xml_text
from kit.secrets import Secret
from tests.kit.http.stand import Asked, Reply, Stand

Open = Callable[..., Outbound]
ROW = b'4000,"UK, Consulting","he said ""no""\nand left",1250.00\r\n'
HEADER = b"\xef\xbb\xbfAccount,Level,Note,01/2026\r\n"
RECORD = {
    "Account": "4000",
    "Level": "UK, Consulting",
    "Note": 'he said "no"\nand left',
    "01/2026": "1250.00",
}


async def read_csv(outbound: Outbound, max_bytes: int = 1 << 30, **more: Any) -> list[Any]:
    async with outbound.stream("POST", "/export", body=b"<call/>", max_bytes=max_bytes) as answer:
        return [record async for record in answer.csv(**more)]


async def read_xml(outbound: Outbound, name: str = "row", **more: Any) -> list[XmlElement]:
    async with outbound.stream("POST", "/export", body=b"<call/>", **more) as answer:
        return [element async for element in answer.xml(name)]


def pieces(body: bytes, size: int) -> list[bytes]:
    return [body[at : at + size] for at in range(0, len(body), size)]


@pytest.mark.parametrize("size", [1, 7, 1000])
@pytest.mark.parametrize("encoding", ["", "gzip", "deflate"])
async def test_csv(stand: Stand, client: Open, size: int, encoding: str) -> None:
    """Rows with quotes, line ends and a byte order mark are read alike however the body is cut and packed."""
    body = HEADER + ROW * 3 + b"\r\n" + ROW.rstrip()
    packed = {"": bytes, "gzip": gzip.compress, "deflate": zlib.compress}[encoding](body)
    headers = {"Content-Encoding": encoding} if encoding else {}
    stand.script(Reply(parts=pieces(packed, size), headers=headers))
    assert await read_csv(client()) == [RECORD] * 4
    assert stand.asked[0].headers["accept-encoding"] == "gzip"


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(parts=[HEADER, ROW, ROW], cut=True), VendorUnavailable),
        (Reply(body=HEADER + ROW, headers={"Content-Length": "9000"}), VendorUnavailable),
        (
            Reply(parts=[gzip.compress(HEADER + ROW)[:-9]], headers={"Content-Encoding": "gzip"}),
            VendorUnavailable,
        ),
        (Reply(parts=[HEADER, ROW, b'4000,"UK']), VendorUnavailable),
        (Reply(parts=[HEADER, ROW, b"4000,UK\xc3"]), VendorUnavailable),
        (Reply(parts=[HEADER, ROW, b"4000,UK,\r\n"]), ContractViolation),
        (Reply(parts=[HEADER, ROW, b'4000,"U"K,,\r\n']), ContractViolation),
        (Reply(parts=[HEADER, ROW, b"4000,UK\xff,,\r\n"]), ContractViolation),
        (Reply(parts=[b"a,a\r\n1,2\r\n"]), ContractViolation),
        (Reply(parts=[HEADER, b'"', b"x" * (1 << 21)]), ContractViolation),
        (Reply(parts=[HEADER, b'"' + (b"x" * 1000 + b"\n") * 1100]), ContractViolation),
        (Reply(parts=[b"\x1f\x8bnonsense"], headers={"Content-Encoding": "gzip"}), ContractViolation),
        (Reply(parts=[b"x"], headers={"Content-Encoding": "br"}), ContractViolation),
        (Reply(parts=[HEADER, ROW], framed=False), ContractViolation),
    ],
)
async def test_csv_that_is_no_complete_one(
    stand: Stand, client: Open, reply: Reply, kind: type[Problem]
) -> None:
    """A CSV that is cut short, broken, over a bound or without a visible end is a problem."""
    stand.script(reply)
    with pytest.raises(kind) as caught:
        await read_csv(client())
    assert type(caught.value) is kind
    # Of an answer operators must know to which call; that there was none is a sentence for anybody.
    assert "/export" in caught.value.detail or "did not answer" in caught.value.detail


async def test_csv_whose_end_the_vendor_counts(stand: Stand, client: Open) -> None:
    """Where only a number of rows shows the end, that number decides."""
    stand.answer = lambda _: answered(Reply(parts=[HEADER, ROW * 3], framed=False))
    assert len(await read_csv(client(), complete=lambda rows: rows == 3)) == 3
    with pytest.raises(VendorUnavailable, match="after 3 rows"):
        await read_csv(client(), complete=lambda rows: rows == 4)


async def answered(reply: Reply) -> Reply:
    return reply


@pytest.mark.parametrize("size", [1, 10_000])
async def test_xml(stand: Stand, client: Open, size: int) -> None:
    """Elements come one by one, with attributes, text and children, entities of XML itself resolved."""
    body = (
        '<?xml version="1.0" encoding="ISO-8859-1"?><r><row id="1">a &amp; b&#33;<c x="é"/></row>'
        '<other/><row id="2"><row id="3"/></row></r>'
    ).encode("latin-1")
    stand.script(Reply(parts=pieces(body, size)))
    first, second = await read_xml(client())
    assert (first.attributes, first.text) == ({"id": "1"}, "a & b!")
    child = first.find("c")
    assert child is not None
    assert child.attributes == {"x": "é"}
    assert [each.attributes["id"] for each in (second, *second.children)] == ["2", "3"]
    assert second.find("c") is None


BOMB = b'<!DOCTYPE r [<!ENTITY a "xxxx"><!ENTITY b "&a;&a;&a;">]><r><row>&b;</row></r>'


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(parts=[b"<r><row/><row>"], cut=False), VendorUnavailable),
        (Reply(parts=[b"<r><row/><row"]), VendorUnavailable),
        (Reply(parts=[b"<r><row/><![CDATA[x"]), VendorUnavailable),
        (Reply(parts=[b"<r><row/></r>"], cut=True), VendorUnavailable),
        (Reply(parts=[b"<r><row/>"], framed=False), VendorUnavailable),
        (Reply(parts=[b""]), VendorUnavailable),
        (Reply(parts=[BOMB]), ContractViolation),
        (Reply(parts=[b'<!DOCTYPE r SYSTEM "file:///etc/passwd"><r/>']), ContractViolation),
        (Reply(parts=[b"<r><row>&nbsp;</row></r>"]), ContractViolation),
        (Reply(parts=[b"<r><row></r>"]), ContractViolation),
        (Reply(parts=[b"<a>" * 200]), ContractViolation),
        (Reply(parts=[b"<r><row>", *[b"x" * 65536] * 20]), ContractViolation),
        (Reply(parts=[b"<r><row a='", *[b"x" * 65536] * 40]), ContractViolation),
        (Reply(parts=[b"<r>" + b"<row/>" * 100], headers={"X": "long"}), ContractViolation),
    ],
)
async def test_xml_that_is_no_complete_one(
    stand: Stand, client: Open, reply: Reply, kind: type[Problem]
) -> None:
    """XML that is cut short, expands entities, is nested or long beyond its bounds is a problem."""
    stand.script(reply)
    with pytest.raises(kind) as caught:
        await read_xml(client(), max_bytes=100 if "X" in reply.headers else 1 << 30)
    assert type(caught.value) is kind
    assert "passwd" not in caught.value.detail


async def test_csv_in_xml(stand: Stand, client: Open) -> None:
    """A CSV within an element is read in parts, too."""
    body = b"<response success='true'><output><![CDATA[" + HEADER[3:] + ROW * 3 + b"]]></output></response>"
    stand.script(Reply(parts=pieces(body, 11)))
    async with client().stream("GET", "/export") as answer:
        found = [record async for record in csv_records(xml_text(answer.xml_events(), "output"))]
    assert found == [RECORD | {"Note": 'he said "no"\nand left'}] * 3


async def test_a_compressed_bomb(stand: Stand, client: Open) -> None:
    """A small body that inflates beyond the bound is left at the bound."""
    stand.script(Reply(body=gzip.compress(bytes(50_000_000)), headers={"Content-Encoding": "gzip"}))
    tracemalloc.start()
    with pytest.raises(ContractViolation, match="more than 1000000 bytes"):
        await read_csv(client(), max_bytes=1_000_000, record_bytes=1 << 30)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000


async def test_before_the_body(stand: Stand, client: Open) -> None:
    """Until the body comes a stream is a call like any: login, retries, errors, budget, its own record."""
    seen: list[str] = []

    async def answer(asked: Asked) -> Reply:
        seen.append(asked.path)
        if asked.path == "/token":
            return Reply(body=b'{"access_token":"t%d"}' % seen.count("/token"))
        if asked.headers["authorization"] == "Bearer t1":
            return Reply(401)
        return Reply(503) if seen.count("/export") == 2 else Reply(parts=[b"a\n1\n"])

    stand.answer = answer
    auth = ClientCredentials(f"{stand.url}/token", "me", Secret("s"))
    limits = Limits(concurrency=1, backoff_seconds=0.001)
    outbound = client(auth=auth, budget=Budget("stream", limits))
    assert await read_csv(outbound) == [{"a": "1"}]
    assert seen == ["/token", "/export", "/token", "/export", "/export"]
    assert await read_csv(outbound) == [{"a": "1"}], "the slot was given back"
    stand.script(Reply(400, body=b'{"error":"no such version"}'))

    def refusal(answer: VendorAnswer) -> Problem:
        return VendorRejected(answer.body.decode())

    with pytest.raises(VendorRejected, match="no such version"):
        await read_csv(client(read_error=refusal))


async def test_rows_without_http() -> None:
    """The reader alone: quotes within an unquoted field are kept, empty lines left out."""

    async def texts() -> AsyncIterator[str]:
        for part in ('5" pipe,a\n\n', "x,", "y"):
            yield part

    assert [row async for row in csv_rows(texts())] == [['5" pipe', "a"], ["x", "y"]]


def long_csv(megabytes: int) -> Iterator[bytes]:
    yield b"Account,Note\n"
    row = b'4000,"' + b"n" * 990 + b'"\n'
    for _ in range(megabytes * 8):
        yield row * 131


def long_xml(megabytes: int) -> Iterator[bytes]:
    yield b"<r>"
    row = b"<row a='" + b"a" * 90 + b"'><c>" + b"n" * 890 + b"</c></row>"
    for _ in range(megabytes * 8):
        yield row * 131
    yield b"</r>"


@pytest.mark.parametrize("kind", ["csv", "xml"])
@pytest.mark.parametrize("megabytes", [5, pytest.param(100, marks=pytest.mark.whole)])
async def test_memory(stand: Stand, client: Open, kind: str, megabytes: int) -> None:
    """However long the answer, reading it takes some megabytes."""
    stand.script(
        Reply(parts=[HEADER, ROW]), Reply(parts=(long_csv if kind == "csv" else long_xml)(megabytes))
    )
    outbound, count = client(), 0
    await read_csv(outbound)  # what is loaded with the first call is not measured
    tracemalloc.start()
    try:
        async with outbound.stream("GET", "/export") as answer:
            async for _ in answer.csv() if kind == "csv" else answer.xml("row"):
                count += 1
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == megabytes * 8 * 131
    assert peak < 4_000_000
