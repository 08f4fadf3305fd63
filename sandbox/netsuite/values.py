"""What the NetSuite stand-in accepts as a field's value: checks it and brings it to the stored form."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.core import Account
from sandbox.netsuite.lengths import longest
from sandbox.netsuite.problems import Refusal, invalid_reference, invalid_value, too_long
from sandbox.netsuite.schema import SUBRECORDS, Field, RecordType, choices
from sandbox.netsuite.store import look_up, named

IGNORED = {"links", "id", "internalId", "refName", "count", "hasMore", "offset", "totalResults"}
DURATION = re.compile(r"\d{1,5}:[0-5]\d")


@dataclass
class Taking:
    """How one request's body is to be read, and what it said that the record type does not know."""

    account: Account
    kind: RecordType
    naming: str = "warning"
    valuing: str = "error"
    unknown: list[str] = field(default_factory=list)

    def take(self, fields: Mapping[str, Field], body: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
        """The known, writable fields of a body in stored form; null stays None. Raises: Refusal."""
        taken: dict[str, Any] = {}
        for name, value in body.items():
            known = fields.get(name)
            if known is None:
                self._note_unknown(name, f"{prefix}{name}")
            elif value is None and not known.read_only:
                taken[name] = None
            elif not known.read_only:
                self._take_one(taken, known, value, f"{prefix}{name}")
        return taken

    def _take_one(self, taken: dict[str, Any], known: Field, value: Any, path: str) -> None:
        try:
            taken[known.name] = self._convert(known, value, path)
        except Refusal:
            if self.valuing == "error":
                raise

    def _note_unknown(self, name: str, path: str) -> None:
        if name in IGNORED or self.naming == "ignore":
            return
        if self.naming == "error":
            sentence = f"Invalid field name '{name}' in the request body. Provide a valid field name."
            raise Refusal(400, "INVALID_CONTENT", sentence, errorPath=path)
        self.unknown.append(path)

    def _convert(self, known: Field, value: Any, path: str) -> Any:
        if known.kind == "ref":
            return self._reference(known, value, path)
        if known.kind == "enum":
            return self._choice(known, value, path)
        if known.kind in SUBRECORDS:
            if not isinstance(value, dict):
                raise invalid_value(path)
            return self.take(SUBRECORDS[known.kind], value, f"{path}.")
        try:
            converted = CONVERT[known.kind](value)
        except (ValueError, InvalidOperation) as bad:
            raise invalid_value(path) from bad
        most = longest(self.kind, known) if known.kind == "string" else None
        if most is not None and len(converted) > most:
            raise too_long(known.name, most, path)
        return converted

    def _reference(self, known: Field, value: Any, path: str) -> dict[str, str]:
        ident, text = _pointed(value, path)
        if ident is None:
            record = named(self.account, known.target, text)
        else:
            pair = look_up(self.account, known.target, ident)
            record = pair[1] if pair else None
        if record is None:
            raise invalid_reference(text if ident is None else ident, known.name, path)
        return {"id": str(record["id"])}

    def _choice(self, known: Field, value: Any, path: str) -> dict[str, str]:
        ident, text = _pointed(value, path)
        allowed = choices(self.account, self.kind, known)
        if ident is None:
            ident = next((key for key, shown in allowed.items() if shown == text), None)
        if ident not in allowed:
            raise invalid_reference(ident or text, known.name, path)
        return {"id": ident}


def _pointed(value: Any, path: str) -> tuple[str | None, str]:
    """The id and the text of a reference in any of the spellings the vendor takes."""
    if isinstance(value, str | int) and not isinstance(value, bool):
        return str(value), ""
    if isinstance(value, dict):
        if value.get("id") is not None:
            return str(value["id"]), ""
        if value.get("externalId"):
            return f"eid:{value['externalId']}", ""
        if isinstance(value.get("refName"), str):
            return None, value["refName"]
    raise invalid_value(path)


def _string(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        raise ValueError(value)  # noqa: TRY004 - caught as a bad value
    return str(value)


def _boolean(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)  # noqa: TRY004 - caught as a bad value
    return value


def _number(value: Any) -> Decimal | int:
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise ValueError(value)  # noqa: TRY004 - caught as a bad value
    number = value if isinstance(value, int) else Decimal(value)
    if isinstance(number, Decimal) and not number.is_finite():
        raise ValueError(value)
    return number


def _integer(value: Any) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError(value)
    return int(number)


def _date(value: Any) -> str:
    if not isinstance(value, str) or len(value) < 10:
        raise ValueError(value)
    return date.fromisoformat(value[:10]).isoformat()


def _date_time(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)  # noqa: TRY004 - caught as a bad value
    moment = datetime.fromisoformat(value)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _duration(value: Any) -> str:
    if not isinstance(value, str) or not DURATION.fullmatch(value):
        raise ValueError(value)
    return value


CONVERT = {
    "string": _string,
    "boolean": _boolean,
    "number": _number,
    "integer": _integer,
    "date": _date,
    "date-time": _date_time,
    "duration": _duration,
}
