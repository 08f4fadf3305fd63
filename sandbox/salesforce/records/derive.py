"""The Salesforce stand-in's derived values: what the vendor works out itself when a record is saved."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from sandbox.salesforce.errors import bad_request, missing
from sandbox.salesforce.records.org import Org, Record
from sandbox.salesforce.records.values import show_datetime
from sandbox.salesforce.schema.fields import SObject

CENT = Decimal("0.01")
Ripple = tuple[str, str, Record]


def cents(value: Decimal) -> Decimal:
    return value.quantize(CENT, ROUND_HALF_UP)


def before_save(org: Org, made: SObject, record: Record, given: set[str], old: Record | None) -> None:
    """Complete the record in place. Raises: Refused."""
    step = {
        "Account": _account, "Contact": _person, "User": _person, "Opportunity": _opportunity,
        "OpportunityLineItem": _line_item, "PricebookEntry": _entry, "Contract": _contract, "Order": _order,
        "OrderItem": _order_item, "QuoteLineItem": _order_item, "Quote": _quote,
    }.get(made.name)  # fmt: skip
    if step:
        step(org, record, given, old)


def after_save(org: Org, made: SObject, record: Record) -> Iterator[Ripple]:
    """Parents to be brought up to date: object, id, values."""
    if made.name == "OpportunityLineItem":
        lines = org.matching(made.name, "OpportunityId", record["OpportunityId"])
        values: Record = {"HasOpportunityLineItem": bool(lines)}
        if lines:
            values["Amount"] = sum((line["TotalPrice"] for line in lines), Decimal(0)).quantize(CENT)
            values["TotalOpportunityQuantity"] = sum((line["Quantity"] for line in lines), Decimal(0))
            entry = org.get("PricebookEntry", lines[0]["PricebookEntryId"])
            values["Pricebook2Id"] = entry["Pricebook2Id"] if entry else None
        yield "Opportunity", record["OpportunityId"], values
    if made.name == "OrderItem":
        lines = org.matching(made.name, "OrderId", record["OrderId"])
        total = sum((line["TotalPrice"] for line in lines), Decimal(0)).quantize(CENT)
        yield "Order", record["OrderId"], {"TotalAmount": total}


def _account(_org: Org, record: Record, _given: set[str], _old: Record | None) -> None:
    record["Name"] = record["Name"] or None


def _person(_org: Org, record: Record, _given: set[str], _old: Record | None) -> None:
    record["Name"] = " ".join(part for part in (record["FirstName"], record["LastName"]) if part) or None


def _opportunity(org: Org, record: Record, given: set[str], old: Record | None) -> None:
    stage_changed = old is None or record["StageName"] != old["StageName"]
    stage = next((s for s in org.live("OpportunityStage") if s["ApiName"] == record["StageName"]), None)
    if stage_changed and record["StageName"]:
        # StageName is no restricted picklist: a stage unknown to the org is open and in the pipeline.
        known: dict[str, Any] = stage or {
            "IsClosed": False, "IsWon": False, "DefaultProbability": Decimal(0),
            "ForecastCategory": "Pipeline", "ForecastCategoryName": "Pipeline",
        }  # fmt: skip
        record |= {key: known[key] for key in ("IsClosed", "IsWon", "ForecastCategory")}
        if "Probability" not in given:
            record["Probability"] = known["DefaultProbability"]
        if "ForecastCategoryName" not in given:
            record["ForecastCategoryName"] = known["ForecastCategoryName"]
        if old is not None:
            record["LastStageChangeDate"] = show_datetime(org.now().replace(microsecond=0))
    if old and record.get("HasOpportunityLineItem") and "HasOpportunityLineItem" not in given:
        # With products the amount is their sum: the vendor ignores what is written, without a word.
        record["Amount"] = old["Amount"]
    _forecast(record)


def _forecast(record: Record) -> None:
    amount, probability = record.get("Amount"), record.get("Probability")
    record["ExpectedRevenue"] = None
    if amount is not None and probability is not None:
        record["ExpectedRevenue"] = cents(amount * probability / 100)
    if record.get("CloseDate"):
        closes = date.fromisoformat(record["CloseDate"])
        quarter = (closes.month + 2) // 3
        record |= {"FiscalYear": closes.year, "FiscalQuarter": quarter, "Fiscal": f"{closes.year} {quarter}"}


def _line_item(org: Org, record: Record, given: set[str], _old: Record | None) -> None:
    opportunity = org.get("Opportunity", record["OpportunityId"])
    entry = _entry_for(org, record, opportunity)
    if opportunity is None or entry is None:
        raise missing([] if opportunity else ["OpportunityId"])
    book = opportunity["Pricebook2Id"]
    if book and entry["Pricebook2Id"] != book:
        _broken("PricebookEntryId", "pricebook entry is in a different pricebook than the opportunity's")
    if entry["CurrencyIsoCode"] != opportunity["CurrencyIsoCode"]:
        _broken("PricebookEntryId", "pricebook entry currency is not the opportunity's currency")
    product = org.get("Product2", entry["Product2Id"]) or {}
    record |= {
        "PricebookEntryId": entry["Id"], "Product2Id": entry["Product2Id"], "ListPrice": entry["UnitPrice"],
        "CurrencyIsoCode": entry["CurrencyIsoCode"], "ProductCode": product.get("ProductCode"),
        "Name": f"{opportunity['Name']} {product.get('Name')}"[:376],
    }  # fmt: skip
    _line_total(record, given)


def _entry_for(org: Org, record: Record, opportunity: Record | None) -> Record | None:
    """The price of the line: given itself, or looked up by product, price book and currency."""
    if record["PricebookEntryId"]:
        return org.get("PricebookEntry", record["PricebookEntryId"])
    if not record["Product2Id"] or not opportunity:
        raise missing(["PricebookEntryId"])
    for entry in org.matching("PricebookEntry", "Product2Id", record["Product2Id"]):
        same_book = opportunity["Pricebook2Id"] in {None, entry["Pricebook2Id"]}
        if same_book and entry["CurrencyIsoCode"] == opportunity["CurrencyIsoCode"]:
            return entry
    return None


def _line_total(record: Record, given: set[str]) -> None:
    quantity = record["Quantity"]
    if quantity is None:
        raise missing(["Quantity"])
    if record["UnitPrice"] is None and record["TotalPrice"] is None:
        raise missing(["UnitPrice"])
    left = 1 - (record["Discount"] or Decimal(0)) / 100
    if record["UnitPrice"] is None or ("TotalPrice" in given and "UnitPrice" not in given):
        record["UnitPrice"] = cents(record["TotalPrice"] / quantity / left)
    else:
        record["TotalPrice"] = cents(record["UnitPrice"] * quantity * left)


def _entry(org: Org, record: Record, _given: set[str], _old: Record | None) -> None:
    product = org.get("Product2", record["Product2Id"]) or {}
    record |= {"Name": product.get("Name"), "ProductCode": product.get("ProductCode")}
    book = org.get("Pricebook2", record["Pricebook2Id"])
    if book is None or book["IsStandard"]:
        return
    same = org.matching("PricebookEntry", "Product2Id", record["Product2Id"])
    standard = {b["Id"] for b in org.live("Pricebook2") if b["IsStandard"]}
    if not any(
        e["Pricebook2Id"] in standard and e["CurrencyIsoCode"] == record["CurrencyIsoCode"] for e in same
    ):
        raise bad_request(
            "STANDARD_PRICE_NOT_DEFINED",
            "Before creating a custom price, create a standard price.",
            [],
        )


def _contract(org: Org, record: Record, _given: set[str], old: Record | None) -> None:
    codes = {"Draft": "Draft", "In Approval Process": "InApproval", "Activated": "Activated"}
    record["StatusCode"] = codes.get(record["Status"], "Draft")
    if old is None:
        record["ContractNumber"] = f"{org.account.next_number('contract'):08d}"
    if record["StartDate"] and record["ContractTerm"]:
        start = date.fromisoformat(record["StartDate"])
        months = start.year * 12 + start.month - 1 + int(record["ContractTerm"])
        year, month = months // 12, months % 12 + 1
        following = date(year, month, min(start.day, monthrange(year, month)[1]))
        record["EndDate"] = date.fromordinal(following.toordinal() - 1).isoformat()


def _order(org: Org, record: Record, _given: set[str], old: Record | None) -> None:
    if old is None:
        if record["Status"] == "Activated":
            _broken("Status", "an order starts as a draft")
        record |= {"OrderNumber": f"{org.account.next_number('order'):08d}", "TotalAmount": Decimal("0.00")}
    record["StatusCode"] = "Activated" if record["Status"] == "Activated" else "Draft"


def _quote(org: Org, record: Record, _given: set[str], old: Record | None) -> None:
    opportunity = org.get("Opportunity", record["OpportunityId"]) or {}
    record["AccountId"] = opportunity.get("AccountId")
    if old is None:
        record["QuoteNumber"] = f"{org.account.next_number('quote'):08d}"


def _order_item(org: Org, record: Record, _given: set[str], _old: Record | None) -> None:
    if record["Quantity"] is None or record["UnitPrice"] is None:
        return
    left = 1 - (record.get("Discount") or Decimal(0)) / 100
    record["TotalPrice"] = cents(record["Quantity"] * record["UnitPrice"] * left)
    entry = org.get("PricebookEntry", record["PricebookEntryId"]) or {}
    if "ListPrice" in record:
        record["ListPrice"] = entry.get("UnitPrice")


def _broken(field: str, why: str) -> None:
    """Raises: Refused."""
    raise bad_request("FIELD_INTEGRITY_EXCEPTION", f"field integrity exception: {field} ({why})", [field])
