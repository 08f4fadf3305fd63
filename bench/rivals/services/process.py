"""bench/rivals/services: the process service: works out the totals of a record."""

from decimal import Decimal

from fastapi import Request

from bench.rivals.services.guard import LIMITS, Authorised, fetch, limiter, service
from bench.rivals.services.promise import Line, Money, Record, Summary

app = service("Summaries")


@app.get("/summaries/{record_id}")
@limiter.limit(LIMITS)
async def get_summary(request: Request, record_id: str, authorization: Authorised) -> Summary:
    record = Record.model_validate_json(await fetch(request, f"/records/{record_id}", authorization))
    billed = [line for line in record.lines if line.billed]
    return Summary(record=record, value=_sum(record.lines), billed=_sum(billed))


def _sum(lines: list[Line]) -> Money:
    return Money(amount=sum((line.amount.amount for line in lines), Decimal(0)), currency="USD")
