"""kit/database: PostgreSQL, the truth of the deployment: connections, tables, migrations, locks, cursors."""

from kit.database.columns import metadata
from kit.database.cursors import decode_page, drop_cursor, encode_page, get_cursor, get_cursors, set_cursor
from kit.database.engine import Database, to_json
from kit.database.leasing import lease
from kit.database.locks import Hold, SessionLocks
from kit.database.migrating import migrate
from kit.database.refusals import is_refusal

__all__ = [
    "Database",
    "Hold",
    "SessionLocks",
    "decode_page",
    "drop_cursor",
    "encode_page",
    "get_cursor",
    "get_cursors",
    "is_refusal",
    "lease",
    "metadata",
    "migrate",
    "set_cursor",
    "to_json",
]
