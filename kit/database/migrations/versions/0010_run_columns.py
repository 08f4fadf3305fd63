"""Who a run belongs to, where it works, what it waits for and who decided in it are columns of runs."""

from alembic import op

revision = "kit_0010"
down_revision = "kit_0009"
branch_labels = None
depends_on = None

COLUMNS = (
    "customer text NOT NULL DEFAULT ''",
    "instances jsonb NOT NULL DEFAULT '[]'",
    "systems jsonb NOT NULL DEFAULT '{}'",
    "waits_for text NOT NULL DEFAULT ''",
    "decisions jsonb NOT NULL DEFAULT '{}'",
)


def upgrade() -> None:
    op.execute("ALTER TABLE enfilade.runs " + ", ".join(f"ADD COLUMN {column}" for column in COLUMNS))
    op.execute("CREATE INDEX runs_waiting ON enfilade.runs (waits_for) WHERE finished_at IS NULL")
    op.execute(
        "UPDATE enfilade.runs SET customer = coalesce(data ->> 'customer_id', ''),"
        " waits_for = coalesce(data ->> 'customer_request_id', ''),"
        " systems = coalesce(data -> 'systems', input -> 'systems', '{}'),"
        " instances = (SELECT coalesce(jsonb_agg(DISTINCT name), '[]') FROM ("
        "   SELECT input ->> 'instance' AS name"
        "   UNION SELECT ref ->> 'instance'"
        "   FROM jsonb_array_elements(coalesce(data -> 'refs', '[]')) AS ref"
        " ) AS names WHERE name IS NOT NULL),"
        " decisions = (SELECT coalesce(jsonb_object_agg("
        "   CASE key WHEN 'decided_by' THEN '1.1' ELSE substr(key, 12) END, value), '{}')"
        "   FROM jsonb_each(data) WHERE key = 'decided_by' OR key LIKE 'decided_by %')"
    )
