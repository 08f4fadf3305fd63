"""Bodies: JSON read strictly, so that the gateway and the tiers cannot read it differently."""

import json
import re
from typing import Any

import msgspec

from contracts.problems import BadJson, DuplicateKeys, Fault, Invalid, TooDeep

_OPENING = re.compile(rb"[\[{]")


def parse(body: bytes, max_depth: int) -> Any:
    """The body's JSON; raises BadJson, TooDeep, DuplicateKeys, and Invalid for text that cannot be stored."""
    # A body that nests too deep has more opening brackets than the limit: this is cheap, and enough for most.
    if len(_OPENING.findall(body)) > max_depth and _too_deep(body, max_depth):
        raise TooDeep(f"A body may nest {max_depth} levels")
    try:
        # msgspec refuses NaN, lone surrogates and numbers beyond a double; json reports duplicate keys.
        parsed = msgspec.json.decode(body)
        json.loads(body, object_pairs_hook=_unique)
    except RecursionError:
        raise TooDeep(f"A body may nest {max_depth} levels") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise BadJson(f"The body is not JSON: {str(error)[:200]}") from None
    if b"\\u0000" in body and (faults := list(_nul_faults(parsed, ""))):
        raise Invalid("Text may not contain U+0000", errors=faults)
    return parsed


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        names = [name for name, _ in pairs]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise DuplicateKeys(f"Named twice in one object: {', '.join(twice)[:200]}")
    return members


def _too_deep(body: bytes, max_depth: int) -> bool:
    depth, quoted, escaped = 0, False, False
    for byte in body:
        if quoted:
            if escaped:
                escaped = False
            elif byte == 0x5C:  # noqa: PLR2004 - backslash
                escaped = True
            elif byte == 0x22:  # noqa: PLR2004 - quotation mark
                quoted = False
        elif byte == 0x22:  # noqa: PLR2004
            quoted = True
        elif byte in b"[{":
            depth += 1
            if depth > max_depth:
                return True
        elif byte in b"]}":
            depth -= 1
    return False


def _nul_faults(value: Any, pointer: str) -> Any:
    if isinstance(value, str) and "\x00" in value:
        yield Fault(pointer=pointer, detail="contains U+0000", code="text")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _nul_faults(item, f"{pointer}/{escape(name)}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _nul_faults(item, f"{pointer}/{index}")


def escape(segment: object) -> str:
    """A segment of a JSON pointer (RFC 6901)."""
    return str(segment).replace("~", "~0").replace("/", "~1")
