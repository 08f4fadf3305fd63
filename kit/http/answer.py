"""A vendor's answer, and its body decoded against what we were promised."""

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from contracts.problems import ContractViolation

T = TypeVar("T")

_PAGE_BYTES = 2048


@lru_cache(maxsize=256)
def _decoder(kind: Any) -> msgspec.json.Decoder[Any]:
    # Money is a JSON number at most vendors: a float on the way would change it.
    return msgspec.json.Decoder(kind, float_hook=Decimal)


class VendorAnswer(msgspec.Struct, frozen=True):
    """What came back: `request_id` is the vendor's own, `template` the route that was asked."""

    instance: str
    method: str
    template: str
    status: int
    headers: Mapping[str, str]
    body: bytes
    request_id: str = ""

    @property
    def beginning(self) -> str:
        """The first of a body that is no document, such as a page: for judging, never for people."""
        return self.body[:_PAGE_BYTES].decode(errors="replace")

    def json(self, kind: type[T]) -> T:
        """The body as `kind`; raises ContractViolation where it is off that schema."""
        try:
            return _decoder(kind).decode(self.body)
        except (msgspec.DecodeError, RecursionError) as error:
            raise self.violation(_place(error)) from None

    def part(self, raw: msgspec.Raw, kind: type[T]) -> T:
        """A part of the body that was left as it came; raises msgspec.ValidationError off `kind`."""
        return _decoder(kind).decode(raw)

    def violation(self, what: str) -> ContractViolation:
        """What to raise when the answer is not as promised; `what` quotes nothing of it."""
        return ContractViolation(
            f"{self.instance} answered {self.method} {self.template}, not matching its schema: {what}",
            instance=self.instance,
            vendor_request_id=self.request_id,
        )

    def try_json(self, kind: type[T]) -> T | None:
        """The body as `kind`, None where it is not: for reading errors, which may be anything."""
        try:
            return _decoder(kind).decode(self.body)
        except (msgspec.DecodeError, RecursionError):
            return None


def _place(error: Exception) -> str:
    """Where the body is wrong; of a text that is no JSON nothing is quoted."""
    return str(error) if isinstance(error, msgspec.ValidationError) else "not JSON"
