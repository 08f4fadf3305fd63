"""system_apis: the ids of Sales Cloud's records. Pure."""

from system_apis.platforms.salesforce_org.ids import canonical_ids

OPPORTUNITY, ACCOUNT = "006", "001"

canonical = canonical_ids({"opportunity": OPPORTUNITY, "customer": ACCOUNT, "contact": "003"})
