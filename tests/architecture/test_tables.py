"""Every table says how long its rows stay and which columns name a person."""

import ast
from pathlib import Path

import pytest
from sqlalchemy import Table

import deploy.composition.tables  # noqa: F401 - declares every table
from kit.database.declaring import Expiry, declared
from kit.retention import RetentionSettings

ROOT = Path(__file__).parents[2]
TIERS = ("kit", "gateway", "experience_apis", "process_apis", "system_apis", "deploy")
RULES = set(RetentionSettings.__struct_fields__)
OF_ENGINE = {"engine"}  # tables that are not ours
PERSONAL = ("actor", "requesters")
NO_PERSON = {"once.used_by": "the process that used a value"}


def test_every_table_is_declared() -> None:
    """Each that a module of the tiers makes, and `deploy.composition.tables` loads it."""
    made = {
        node.args[0].value
        for tier in TIERS
        for path in (ROOT / tier).rglob("*.py")
        if "migrations" not in path.parts and "Table(" in (text := path.read_text(encoding="utf-8"))
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("Table", "sa.Table")
        if node.args and isinstance(node.args[0], ast.Constant)
    }
    assert made == {table.name for table in declared()}


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
