"""tests/kit: a process that records the spans of real statements: recording cannot be undone."""

import asyncio
import contextlib
import json
import logging
import sys

from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from kit.database import Database
from kit.telemetry import record_spans, server_span


async def ask(url: str) -> None:
    database = Database(url)
    async with database.connect() as connection:
        await connection.execute(text("SELECT 41"))  # for nobody's request
    block = server_span("GET /orders", "", {})
    if block is not None:
        with block:
            async with database.connect() as connection:
                await connection.execute(text("SELECT 'Ada', 42 WHERE 1 < :least"), {"least": 4711})
                with contextlib.suppress(DBAPIError):
                    await connection.execute(text("SELECT absent"))
    await database.close()


def main() -> None:
    logging.basicConfig(level=logging.WARNING, format="logged: %(message)s")
    exporter = InMemorySpanExporter()
    record_spans("tests", 1.0, SimpleSpanProcessor(exporter))
    asyncio.run(ask(sys.argv[1]))
    print(json.dumps([json.loads(span.to_json()) for span in exporter.get_finished_spans()]))  # noqa: T201


if __name__ == "__main__":
    main()
