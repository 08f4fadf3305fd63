"""The Toy CRM stand-in: deals, accounts and contacts."""

from typing import Any

from sandbox.core import Account
from sandbox.core.console import CUSTOMER, DEAL
from sandbox.core.documents import DocumentVendor


class ToyCrm(DocumentVendor):
    name = "toycrm"
    title = "Toy CRM"
    tables = ("deals", "accounts", "contacts")

    def seed(self, account: Account) -> None:
        """Two firms, each with a deal that lacks nothing but its closing."""
        if account.settings.get("empty"):
            return
        for name in ("Globex", "Initech"):
            terms = {key: value for key, value in CUSTOMER.items() if key != "country_name"}
            firm = self.create(account, "accounts", {"legal_name": f"{name} Ltd", **terms})
            self.create(account, "contacts", {"account": firm["id"], "name": f"Pat of {name}"})
            deal = {"title": f"{name} cloud migration", "state": "open", "account": firm["id"], **DEAL}
            self.create(account, "deals", deal)

    def create(self, account: Account, record_type: str, fields: dict[str, Any]) -> dict[str, Any]:
        since = {"state_since": account.clock.now().isoformat()} if record_type == "deals" else {}
        return super().create(account, record_type, {**fields, **since})

    def edit(
        self, account: Account, record_type: str, record_id: str, fields: dict[str, Any]
    ) -> dict[str, Any]:
        """A deal remembers since when it is in its state."""
        before = self._table(account, record_type)[record_id].get("state")
        moved = fields.get("state", before) != before
        since = {"state_since": account.clock.now().isoformat()} if moved else {}
        return super().edit(account, record_type, record_id, {**fields, **since})


VENDOR = ToyCrm()
