"""The NetSuite stand-in's record types: fields, sublists and the fixed lists that fields choose from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.core import Account, ControlError
from sandbox.netsuite.lists import LISTS

SCALARS = {"string", "boolean", "number", "integer", "date", "date-time", "duration"}


@dataclass(frozen=True)
class Field:
    """`kind` is a scalar, `ref` or `enum`; `target` is the record type or list that it points to."""

    name: str
    kind: str
    target: str = ""
    read_only: bool = False
    label: str = ""
    required: bool = False
    custom: bool = False

    @property
    def spoken(self) -> str:
        """The label a person sees."""
        return self.label or "".join(f" {c}" if c.isupper() else c for c in self.name).strip().title()


@dataclass(frozen=True)
class Sublist:
    name: str
    key: str
    fields: Mapping[str, Field]
    subrecord: str = ""


@dataclass(frozen=True)
class RecordType:
    name: str
    family: str
    fields: Mapping[str, Field]
    sublists: Mapping[str, Sublist] = field(default_factory=dict)

    @property
    def is_transaction(self) -> bool:
        return self.family == "transaction"


def _fields(*groups: str) -> dict[str, Field]:
    """Fields from words such as `total:number!` (read-only) or `terms:ref.term`; a bare word is a string."""
    made = {}
    for word in " ".join(groups).split():
        name, _, kind = word.rstrip("!").partition(":")
        kind, _, target = (kind or "string").partition(".")
        made[name] = Field(name, kind, target, read_only=word.endswith("!"))
    return made


ADDRESS = _fields(
    "addr1 addr2 addr3 city state zip country:enum.country addressee attention addrPhone addrText! "
    "override:boolean"
)
_COMMON = "id! externalId isInactive:boolean lastModifiedDate:date-time!"
_ENTITY = (
    _COMMON
    + " entityId companyName isPerson:boolean firstName lastName email phone subsidiary:ref.subsidiary "
    "comments dateCreated:date-time! currency:ref.currency url fax customForm:enum.customForm"
)
_TRANSACTION = (
    "id! externalId lastModifiedDate:date-time! createdDate:date-time! tranId tranDate:date "
    "entity:ref.entity "
    "subsidiary:ref.subsidiary currency:ref.currency exchangeRate:number memo terms:ref.term otherRefNum "
    "startDate:date endDate:date job:ref.job department:ref.department class:ref.classification "
    "subtotal:number! discountTotal:number! taxTotal:number! total:number! source:enum.source! email "
    "billingAddress:address customForm:enum.customForm salesRep:ref.employee "
)
_LINE = (
    "item:ref.item line:integer quantity:number rate:number amount:number description "
    "price:enum.priceLevel job:ref.job "
    "department:ref.department class:ref.classification taxCode:ref.salesTaxItem units"
)
_ADDRESS_BOOK = Sublist(
    "addressBook",
    "id",
    _fields(
        "id:integer! internalId:integer addressId label defaultBilling:boolean defaultShipping:boolean "
        "isResidential:boolean addressBookAddress:address addressBookAddress_text!"
    ),
    subrecord="addressBookAddress",
)
_CURRENCY_LIST = Sublist(
    "currencyList", "currency", _fields("currency:ref.currency balance:number! displaySymbol")
)


def _type(name: str, family: str, fields: str, *sublists: Sublist) -> RecordType:
    return RecordType(name, family, _fields(fields), {s.name: s for s in sublists})


TYPES = {
    kind.name: kind
    for kind in (
        _type(
            "customer",
            "entity",
            _ENTITY
            + " representingSubsidiary:ref.subsidiary entityStatus:enum.customerStatus parent:ref.customer "
            "terms:ref.term salesRep:ref.employee category:enum.customerCategory creditLimit:number "
            "balance:number! "
            "overdueBalance:number! unbilledOrders:number! vatRegNumber taxItem:ref.salesTaxItem "
            "taxable:boolean "
            "creditHoldOverride:enum.creditHold startDate:date endDate:date accountNumber",
            _ADDRESS_BOOK,
            _CURRENCY_LIST,
        ),
        _type(
            "salesOrder",
            "transaction",
            _TRANSACTION + "status:enum.salesOrderStatus! orderStatus:enum.orderStatus opportunity "
            "billingSchedule:ref.billingSchedule "
            "salesEffectiveDate:date",
            Sublist(
                "item",
                "line",
                _fields(
                    _LINE + " lineUniqueKey:integer! isClosed:boolean quantityBilled:number! "
                    "quantityFulfilled:number! "
                    "revRecStartDate:date revRecEndDate:date billingSchedule:ref.billingSchedule"
                ),
            ),
        ),
        _type(
            "invoice",
            "transaction",
            _TRANSACTION
            + "status:enum.invoiceStatus! dueDate:date createdFrom:ref.salesOrder! amountPaid:number! "
            "amountRemaining:number! approvalStatus:enum.approvalStatus "
            "billingSchedule:ref.billingSchedule asOfDate:date",
            Sublist(
                "item",
                "line",
                _fields(
                    _LINE
                    + " orderDoc:ref.salesOrder! orderLine:integer quantityRemaining:number! isClosed:boolean"
                ),
            ),
        ),
        _type(
            "billingSchedule",
            "list",
            _COMMON
            + " name scheduleType:enum.scheduleType frequency:enum.frequency repeatEvery:enum.repeatEvery "
            "numberRemaining:integer initialAmount inArrears:boolean seriesStartDate:date "
            "applyToSubtotal:boolean "
            "isPublic:boolean job:ref.job initialTerms:ref.term recurrenceTerms:ref.term",
            Sublist(
                "milestone",
                "milestoneId",
                _fields(
                    "milestoneId:integer milestoneAmount:number milestoneDate:date comments "
                    "milestoneActualCompletionDate:date milestoneCompleted:boolean milestoneTerms:ref.term"
                ),
            ),
            Sublist(
                "recurrence",
                "recurrenceId",
                _fields(
                    "recurrenceId:integer amount count:integer units:enum.units recurrenceDate:date "
                    "relativeToPrevious:boolean paymentTerms:ref.term"
                ),
            ),
        ),
        _type(
            "job",
            "entity",
            _ENTITY + " parent:ref.customer projectManager:ref.employee jobBillingType:enum.jobBillingType "
            "jobItem:ref.item jobPrice:number billingSchedule:ref.billingSchedule "
            "projectExpenseType:enum.projectExpenseType "
            "startDate:date projectedEndDate:date calculatedEndDate:date endDate:date estimatedCost:number "
            "estimatedRevenue:number estimatedLaborCost:number estimatedTime:duration actualTime:duration! "
            "percentComplete:number percentTimeComplete:number! entityStatus:enum.jobStatus "
            "timeApproval:enum.timeApproval "
            "allowTime:boolean allowExpenses:boolean limitTimeToAssignees:boolean createChargeRule:boolean",
            _ADDRESS_BOOK,
        ),
        _type(
            "contact",
            "entity",
            _ENTITY + " company:ref.customer salutation middleName title officePhone mobilePhone "
            "supervisor:ref.contact",
            _ADDRESS_BOOK,
        ),
        _type(
            "employee",
            "entity",
            _ENTITY + " title supervisor:ref.employee department:ref.department class:ref.classification "
            "laborCost:number isJobResource:boolean isSalesRep:boolean hireDate:date releaseDate:date",
            _ADDRESS_BOOK,
        ),
        _type(
            "term", "list", _COMMON + " name daysUntilNetDue:integer preferred:boolean discountPercent:number"
        ),
        _type(
            "subsidiary",
            "list",
            _COMMON + " name legalName parent:ref.subsidiary currency:ref.currency country:enum.country "
            "isElimination:boolean email edition federalIdNumber",
        ),
        _type(
            "customerSubsidiaryRelationship",
            "list",
            _COMMON + " name! entity:ref.customer subsidiary:ref.subsidiary isPrimarySub:boolean "
            "primaryCurrency:ref.currency!",
        ),
        _type(
            "currency",
            "list",
            _COMMON
            + " name symbol displaySymbol exchangeRate:number currencyPrecision:enum.currencyPrecision "
            "isBaseCurrency:boolean overrideCurrencyFormat:boolean includeInFxRateUpdates:boolean",
        ),
        _type(
            "serviceSaleItem",
            "item",
            _COMMON + " itemId displayName salesDescription description rate:number itemType:enum.itemType "
            "subsidiary:ref.subsidiary incomeAccount department:ref.department class:ref.classification "
            "createdDate:date-time! includeChildren:boolean",
        ),
        _type(
            "salesTaxItem",
            "item",
            _COMMON + " itemId name description rate:number country:enum.country subsidiary:ref.subsidiary",
        ),
        _type("department", "list", _COMMON + " name parent:ref.department subsidiary:ref.subsidiary"),
        _type(
            "classification", "list", _COMMON + " name parent:ref.classification subsidiary:ref.subsidiary"
        ),
    )
}
BY_LOWER_NAME = {name.lower(): kind for name, kind in TYPES.items()}
# What a reference may point to where it is not one record type.
UNIONS = {"entity": ("customer", "job", "employee"), "item": ("serviceSaleItem",)}
SUBRECORDS = {"address": ADDRESS}
SPOKEN = {
    ("customer", "subsidiary"): "Primary Subsidiary",
    ("contact", "subsidiary"): "Subsidiary",
    ("job", "companyName"): "Project Name",
    ("job", "parent"): "Customer",
    ("salesOrder", "entity"): "Customer",
    ("invoice", "entity"): "Customer",
}


def fields_of(account: Account, kind: RecordType) -> dict[str, Field]:
    """The type's fields in this account: the vendor's, less those removed here, and the account's own."""
    changes = account.extra.get("schema", {}).get(kind.name, {})
    removed = set(changes.get("removed", ()))
    fields = {name: each for name, each in kind.fields.items() if name not in removed}
    for name, spec in changes.get("custom", {}).items():
        fields[name] = Field(
            name,
            spec["kind"],
            spec.get("target", ""),
            label=spec.get("label", ""),
            required=spec["required"],
            custom=True,
        )
    for name in changes.get("required", ()):
        if name in fields:
            fields[name] = _required(fields[name])
    return fields


def _required(each: Field) -> Field:
    return Field(
        each.name, each.kind, each.target, each.read_only, each.label, required=True, custom=each.custom
    )


def label_of(kind: RecordType, each: Field) -> str:
    return SPOKEN.get((kind.name, each.name)) or each.spoken


def change(account: Account, wanted: dict[str, Any]) -> None:
    """Add, remove or retype a field, or make one mandatory on the form. Raises: ControlError."""
    kind = BY_LOWER_NAME.get(str(wanted.get("object", "")).lower())
    if kind is None:
        raise ControlError(f"object is one of {', '.join(TYPES)}")
    changes = account.extra.setdefault("schema", {}).setdefault(kind.name, {})
    custom = changes.setdefault("custom", {})
    if "add_field" in wanted or "retype" in wanted:
        spec = wanted.get("add_field") or wanted["retype"]
        custom[spec["name"]] = _custom(spec, custom.get(spec["name"], {}))
    elif "remove_field" in wanted:
        name = wanted["remove_field"]
        custom.pop(name, None)
        changes.setdefault("removed", []).append(name)
        for record in account.tables.get(kind.name, {}).values():
            record.pop(name, None)
    elif "require" in wanted:
        changes.setdefault("required", []).append(wanted["require"])
    else:
        raise ControlError("A change is add_field, remove_field, retype or require")


def _custom(spec: dict[str, Any], before: dict[str, Any]) -> dict[str, Any]:
    """Raises: ControlError."""
    kind, _, target = str(spec.get("type", "string")).partition(".")
    if kind not in SCALARS | {"ref", "enum"}:
        raise ControlError(f"type is one of {', '.join(sorted(SCALARS))}, ref.<record type> or enum")
    name = spec["name"]
    target = name if kind == "enum" else target
    required = bool(spec.get("required", before.get("required", False)))
    made = {"kind": kind, "target": target, "label": spec.get("label", name), "required": required}
    if "values" in spec:
        made["values"] = {str(i): text for i, text in enumerate(spec["values"], 1)}
    return made


def choices(account: Account, kind: RecordType, each: Field) -> dict[str, str]:
    """The ids and texts an enumeration may have."""
    if each.custom:
        return account.extra["schema"][kind.name]["custom"][each.name].get("values", {})
    return LISTS[each.target]
