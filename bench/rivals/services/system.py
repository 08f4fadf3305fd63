"""bench/rivals/services: the system service: records in memory."""

import datetime as dt
from decimal import Decimal

from fastapi import HTTPException, Request

from bench.rivals.services.guard import LIMITS, Authorised, limiter, service
from bench.rivals.services.promise import Line, Money, Record

app = service("Records")

_BILLED = 2
_RECORDS = {
    "agr_0001": Record(
        id="agr_0001",
        number="SO1042",
        customer="Globex Corporation",
        start=dt.date(2027, 1, 11),
        end=dt.date(2027, 6, 30),
        lines=[
            Line(
                description=f"Milestone {number}",
                due=dt.date(2027, number, 28),
                amount=Money(amount=Decimal("30000.00"), currency="USD"),
                billed=number <= _BILLED,
            )
            for number in range(1, 7)
        ],
    )
}


@app.get("/records/{record_id}")
@limiter.limit(LIMITS)
async def get_record(request: Request, record_id: str, _: Authorised) -> Record:  # noqa: ARG001 - the limiter's
    record = _RECORDS.get(record_id)
    if record is None:
        raise HTTPException(404)
    return record
