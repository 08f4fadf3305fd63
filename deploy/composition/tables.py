"""deploy: the tables of every tier, declared by importing this, for whatever must miss none of them."""

import importlib
import pkgutil

import gateway.tables
import kit.audit.tables
import kit.database.tables
import kit.postings.tables
import kit.privacy.tables
import kit.secret_store
import process_apis.approved_customers
import process_apis.known_records
from process_apis import views

for _module in pkgutil.iter_modules(views.__path__, f"{views.__name__}."):
    importlib.import_module(_module.name)

__all__ = ["gateway", "kit", "process_apis"]
