"""The Toy ERP stand-in: customers and contracts of three legal entities."""

from typing import Any

from sandbox.core.documents import DocumentVendor

ENTITIES = ("NB-UK", "NB-US", "NB-DE")


class ToyErp(DocumentVendor):
    name = "toyerp"
    title = "Toy ERP"
    tables = ("customers", "contracts")
    longest_key = 20  # as those of some ERPs

    def refusal(self, table: str, document: dict[str, Any]) -> str:
        master = document["master" if table == "customers" else "terms"]
        return "" if master["selling_entity"] in ENTITIES else "there is no such entity"


VENDOR = ToyErp()
