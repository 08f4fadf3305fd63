"""kit/database: a span of each statement, below the span of the work that it is for.

Written here because opentelemetry-instrumentation-sqlalchemy refuses SQLAlchemy 2.1, records literals, and
makes a root span of each statement of background work. The names are those of OpenTelemetry's conventions:
https://opentelemetry.io/docs/specs/semconv/database/postgresql/
"""

import re
from typing import Any

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode
from sqlalchemy import URL, Engine, ExceptionContext, event

_LITERAL = re.compile(r"'(?:[^']|'')*'|(?<![\w$])\d+(?:\.\d+)?\b")
_tracer = trace.get_tracer("enfilade.database")


def record_queries(engine: Engine) -> None:
    """Make a span of each statement of an engine whose work is recorded."""
    attributes = _of_server(engine.url)

    def begin(_: Any, __: Any, statement: str, ___: Any, context: Any, ____: bool) -> None:
        if trace.get_current_span().is_recording():
            context.span = _begin(statement, attributes)

    def end(_: Any, __: Any, ___: str, ____: Any, context: Any, _____: bool) -> None:
        if span := getattr(context, "span", None):
            span.end()

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
    event.listen(engine, "handle_error", _end_failed)


def without_literals(statement: str) -> str:
    """A statement with a question mark for each text and number in it: they may be about persons."""
    return _LITERAL.sub("?", statement)


def _of_server(url: URL) -> dict[str, str | int]:
    given = {
        "db.system.name": "postgresql",
        "db.namespace": url.database,
        "server.address": url.host,
        "server.port": url.port,
    }
    return {name: value for name, value in given.items() if value}


def _begin(statement: str, attributes: dict[str, str | int]) -> Span:
    operation = statement.split(None, 1)[0].upper() if statement.strip() else "query"
    stated = {"db.operation.name": operation, "db.query.text": without_literals(statement)}
    return _tracer.start_span(operation, kind=SpanKind.CLIENT, attributes={**attributes, **stated})


def _end_failed(context: ExceptionContext) -> None:
    if span := getattr(context.execution_context, "span", None):
        error = context.original_exception
        span.set_attribute("error.type", str(getattr(error, "sqlstate", None) or type(error).__name__))
        span.set_status(Status(StatusCode.ERROR))
        span.end()
