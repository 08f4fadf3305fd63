"""Every table says how long its rows stay and which columns name a person."""

import pytest
from sqlalchemy import Table

import deploy.tables  # noqa: F401 - declares every table
from kit.database.declaring import Expiry, declared
from kit.retention import RetentionSettings

RULES = set(RetentionSettings.__struct_fields__)
OF_ENGINE = {"engine"}  # tables that are not ours
PERSONAL = ("actor", "requesters")
NO_PERSON = {"once.used_by": "the process that used a value"}


@pytest.mark.parametrize("table", declared(), ids=lambda table: table.name)
def test_a_table_says_when_its_rows_go(table: Table) -> None:
    """By a rule of retention.toml that there is and columns that it has, or by a reason."""
    retention = table.info["retention"]
    if isinstance(retention, Expiry):
        assert retention.rule in RULES
        assert {retention.age, *retention.held_by} <= set(table.c.keys())
    else:
        assert retention


def test_every_rule_of_retention_is_some_tables() -> None:
    """No rule deletes nothing."""
    of_tables = {
        retention.rule if isinstance(retention, Expiry) else retention.partition(":")[0]
        for table in declared()
        for retention in [table.info["retention"]]
    }
    assert of_tables >= RULES - OF_ENGINE


@pytest.mark.parametrize("table", declared(), ids=lambda table: table.name)
def test_a_column_that_names_a_person_is_personal(table: Table) -> None:
    """Who did something is in the export of what is held of him; every personal column is there."""
    personal = table.info["personal"]
    columns = set(table.c.keys())
    assert set(personal) <= columns
    naming = {name for name in columns if name in PERSONAL or name.endswith("_by")}
    assert {name for name in naming if f"{table.name}.{name}" not in NO_PERSON} <= set(personal)
