"""kit/database: what an error of PostgreSQL means, by its SQLSTATE: to a caller, and to who operates it.

https://www.postgresql.org/docs/current/errcodes-appendix.html
"""

import time

import msgspec
import psycopg
from sqlalchemy import exc

from contracts.problems import Unavailable
from kit import telemetry

_log = telemetry.log(__name__)
_failed = telemetry.meter(__name__).create_counter(
    "enfilade.database.failures", description="Times that the database did not do what was asked, by cause"
)
_LOG_AGAIN_SECONDS = 60.0
_logged: dict[str, float] = {}


class DatabaseRefusal(msgspec.Struct, frozen=True):
    """Why the database does nothing for us now: its stable name, a sentence, what an operator does next."""

    cause: str
    detail: str
    remedy: str
    retry_after: float = 1.0


DISK_FULL = DatabaseRefusal(
    "disk_full",
    "The database's disk is full",
    "free or add disk space at the database server; what waits then goes on by itself",
    30.0,
)
READ_ONLY = DatabaseRefusal(
    "read_only",
    "The database is read-only",
    "let ENFILADE_DATABASE_URL name the primary server, or set default_transaction_read_only to off there",
    10.0,
)
_CONNECTIONS = DatabaseRefusal(
    "too_many_connections",
    "The database accepts no more connections",
    "raise max_connections or the CONNECTION LIMIT of role and database, or run fewer workers",
    5.0,
)
_STOPPING = DatabaseRefusal(
    "shutting_down",
    "The database is shutting down",
    "wait for its restart; when that does not come, read the database server's log",
    5.0,
)
_STARTING = DatabaseRefusal(
    "starting",
    "The database is starting",
    "wait; when it takes long, read the database server's log",
    5.0,
)
_MEMORY = DatabaseRefusal(
    "out_of_memory",
    "The database is out of memory",
    "give the database server more memory or locks, or lower work_mem and max_connections",
    10.0,
)
_LOGIN = DatabaseRefusal(
    "login_refused",
    "The database refuses the login",
    "correct user and password in ENFILADE_DATABASE_URL, or pg_hba.conf at the database server",
    10.0,
)
_NO_DATABASE = DatabaseRefusal(
    "no_such_database",
    "The database does not exist",
    "create it, or correct its name in ENFILADE_DATABASE_URL",
    10.0,
)
UNREACHABLE = DatabaseRefusal(
    "unreachable", "The database does not answer", "start it, or correct ENFILADE_DATABASE_URL"
)
_POOL = DatabaseRefusal(
    "pool_exhausted",
    "All database connections of this process are in use",
    "look for slow statements at the database server, or run more workers",
)
_OTHER = DatabaseRefusal("failed", "The database failed", "read the database server's log", 5.0)

# By the whole SQLSTATE, else by its class.
_STATES = {
    "08": UNREACHABLE,
    "25006": READ_ONLY,
    "28": _LOGIN,
    "3D": _NO_DATABASE,
    "40": DatabaseRefusal(
        "rolled_back",
        "The database rolled the transaction back, for another one was in its way",
        "nothing; when it happens often, look for long transactions at the database server",
    ),
    "53": DatabaseRefusal("exhausted", "The database server is at a limit", "read its server's log", 10.0),
    "53100": DISK_FULL,
    "53200": _MEMORY,
    "53300": _CONNECTIONS,
    "55P03": DatabaseRefusal(
        "locked", "A row of the database is locked for too long", "look for long transactions there"
    ),
    "57014": DatabaseRefusal(
        "cancelled",
        "The database cancelled a statement",
        "look for slow statements at the database server; raise its statement_timeout",
    ),
    "57": _STOPPING,
    "57P03": _STARTING,
    "58": DatabaseRefusal(
        "server_fault",
        "The database server has a fault of its own",
        "read the database server's log, and check its disks",
        30.0,
    ),
}
# A refused connection has a message, but no SQLSTATE (libpq).
_WORDS = (
    ("too many clients", _CONNECTIONS),
    ("too many connections", _CONNECTIONS),
    ("connection slots are reserved", _CONNECTIONS),
    ("shutting down", _STOPPING),
    ("starting up", _STARTING),
    ("not yet accepting connections", _STARTING),
    ("in recovery mode", _STARTING),
    ("authentication failed", _LOGIN),
    ("no pg_hba.conf entry", _LOGIN),
    ("not permitted to log in", _LOGIN),
    ("No space left on device", DISK_FULL),
    ("out of memory", _MEMORY),
)
# A row that exceeds a limit of the program is as wrong later as now.
_ROWS = ("54",)


def refusal_of(error: BaseException) -> DatabaseRefusal | None:
    """Why the database did not do what was asked; None where the statement or its rows are at fault."""
    if isinstance(error, exc.TimeoutError):
        return _POOL
    driver = error.orig if isinstance(error, exc.DBAPIError) else error
    if not isinstance(driver, psycopg.Error):
        return None
    state = driver.sqlstate or ""
    refusal = _STATES.get(state) or _STATES.get(state[:2])
    if refusal is not None:
        return refusal
    if not isinstance(driver, psycopg.OperationalError | psycopg.InterfaceError) or state[:2] in _ROWS:
        return None
    return _OTHER if state else _by_words(str(driver))


def problem_of(error: BaseException) -> Unavailable | None:
    """The problem to raise for an error, logged and counted; None where the database is not its cause."""
    refusal = refusal_of(error)
    if refusal is None:
        return None
    _failed.add(1, {"cause": refusal.cause})
    now = time.monotonic()
    if now - _logged.get(refusal.cause, float("-inf")) >= _LOG_AGAIN_SECONDS:
        _logged[refusal.cause] = now
        driver = getattr(error, "orig", None) or error
        state = getattr(driver, "sqlstate", None) or ""
        _log.error(refusal.detail, cause=refusal.cause, sqlstate=state, next_step=refusal.remedy)
    return Unavailable(
        refusal.detail, retry_after=refusal.retry_after, extra={"cause": f"database_{refusal.cause}"}
    )


def remedy_of(problem: Unavailable) -> str:
    """What an operator does next about a problem."""
    known = {f"database_{each.cause}": each.remedy for each in _all()}
    return known.get(str(problem.extra.get("cause")), "try again later")


def sentence_of(error: BaseException) -> str | None:
    """The sentence about an error for an operator, with what to do next; None where it is no store's."""
    if isinstance(error, Unavailable):
        return f"{error.detail}: {remedy_of(error)}."
    refusal = refusal_of(error)
    return f"{refusal.detail}: {refusal.remedy}." if refusal else None


def is_refusal(problem: BaseException) -> bool:
    """Whether a problem, of whichever tier, is that its database does nothing for it now."""
    return isinstance(problem, Unavailable) and str(problem.extra.get("cause")).startswith("database_")


def _by_words(message: str) -> DatabaseRefusal:
    if 'database "' in message and "does not exist" in message:
        return _NO_DATABASE
    return next((refusal for words, refusal in _WORDS if words in message), UNREACHABLE)


def _all() -> list[DatabaseRefusal]:
    return [*_STATES.values(), *(refusal for _, refusal in _WORDS), UNREACHABLE, _POOL, _OTHER]
