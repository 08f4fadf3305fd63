"""bench/rivals/services: the experience service: composes the screen."""

from fastapi import Request

from bench.rivals.services.guard import LIMITS, Authorised, fetch, limiter, service
from bench.rivals.services.promise import Row, Screen, Summary

app = service("VendorConsole")


@app.get("/experience/bench-screen/v1/screens/{record_id}")
@limiter.limit(LIMITS)
async def get_screen(request: Request, record_id: str, authorization: Authorised) -> Screen:
    summary = Summary.model_validate_json(await fetch(request, f"/summaries/{record_id}", authorization))
    record = summary.record
    return Screen(
        id=record.id,
        title=f"{record.number} · {record.customer}",
        start=record.start,
        end=record.end,
        value=summary.value,
        billed=summary.billed,
        rows=[Row(label=line.description, due=line.due, amount=line.amount) for line in record.lines],
    )
