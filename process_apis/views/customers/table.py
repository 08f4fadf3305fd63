"""The customers: one row per customer of ours, and who may see it."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from kit.database import metadata
from kit.database.declaring import declare
from kit.database.rows import Rows

customers = sa.Table(
    "customers",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("legal_name", sa.Text, nullable=False),
    sa.Column("document", JSONB, nullable=False),
    sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
)


def sold_by(*entities: str) -> sa.ColumnElement[bool]:
    """The customers of some legal entities."""
    others = (customers.c.document.contains({"other_entities": [entity]}) for entity in entities)
    return sa.or_(customers.c.document["selling_entity"].astext.in_(entities), *others)


def known_in(instance: str, vendor_id: str = "") -> sa.ColumnElement[bool]:
    """The customers that have an id in an instance, or that id."""
    ref = {"instance": instance} | ({"id": vendor_id} if vendor_id else {})
    return customers.c.document.contains({"refs": [ref]})


declare(
    customers,
    rows=Rows(
        entity=lambda names: sold_by(*names),
        instance=lambda names: sa.or_(sa.false(), *map(known_in, names)),
        customer=customers.c.id,
        partner=None,
    ),
    retention="as long as the customer is known",
    personal=("document",),
)
