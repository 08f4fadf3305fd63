"""tests/gateway: JWTs are read in one way only, whatever the library behind would let by."""

import json

import pytest

from gateway.identity import jose
from tests.gateway.forge import encode


def test_parts_are_read():
    """What the other tests spoil is good before."""
    parts = jose.take_apart(f"{encode({'typ': 'application/AT+JWT'})}.{encode({'a': [1, {'b': 2}]})}.c2ln")
    assert (parts.kind, parts.payload) == ("at+jwt", {"a": [1, {"b": 2}]})


@pytest.mark.parametrize("part", ["", "YQ==", "YR", "Y", "Y Q", "YQ\n", "Y+", "Y/", "YÄ", "ＹＱ"])
def test_bytes_have_one_spelling(part: str):
    """Padding, spare bits, blanks, other alphabets: none of these is the same token in another coat."""
    with pytest.raises(jose.UnreadableError):
        jose.decode_part(part)
    assert jose.decode_part("YQ") == b"a"


@pytest.mark.parametrize(
    "content",
    [
        b'{"a":1,"a":1}',
        b'{"x":{"a":1,"\\u0061":2}}',
        b'{"a":NaN}',
        b'{"a":-Infinity}',
        b'{"a":1} ,',
        b"[]",
        b"null",
        b'"{}"',
        b"\xff",
        b"\xef\xbb\xbf{}",
        b"[" * 100_000,
    ],
)
def test_an_object_has_each_member_once(content: bytes):
    """What two readers could read differently, we do not read."""
    with pytest.raises(jose.UnreadableError):
        jose.read_object(content)


@pytest.mark.parametrize(
    "value", [True, "1", None, float("nan"), float("inf"), -1, 2**41, 10**400, [1], json.loads("1e400")]
)
def test_an_instant_is_a_number_within_all_time(value: object):
    """NumericDate (RFC 7519 §2), and nothing that only compares like one."""
    assert not jose.is_instant(value)
    assert jose.is_instant(1_700_000_000.5)
