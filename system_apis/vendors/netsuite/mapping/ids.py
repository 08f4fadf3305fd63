"""system_apis: NetSuite's internal ids: whole numbers, which it reads with leading zeros too. Pure."""

from contracts.problems import NotFound


def canonical(kind: str, value: str) -> str:
    """The one spelling of a record's internal id; raises NotFound for what is none."""
    number = value.lstrip("0")
    if not (number and value.isascii() and value.isdigit()):
        raise NotFound(f"“{value[:40]}” is not the id of any {kind} in NetSuite: its ids are whole numbers.")
    return number
