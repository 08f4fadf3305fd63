"""deploy: the tables of every tier, declared by importing this, for whatever must miss none of them."""

import gateway.tables
import kit.database.tables
import process_apis.read_models

__all__ = ["gateway", "kit", "process_apis"]
