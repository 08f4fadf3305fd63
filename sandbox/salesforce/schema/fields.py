"""The Salesforce stand-in's words for metadata: a field, an object, and short ways of writing them down."""

from dataclasses import dataclass, field, replace
from typing import Any

TEXTUAL = {"string", "textarea", "picklist", "multipicklist", "phone", "email", "url", "id", "reference"}
NUMERIC = {"currency", "double", "percent", "int"}


@dataclass(frozen=True, kw_only=True)
class Field:
    """One field, in the terms that describe uses."""

    name: str
    type: str
    label: str
    length: int = 0
    precision: int = 0
    scale: int = 0
    nillable: bool = True
    createable: bool = True
    updateable: bool = True
    defaulted: bool = False
    default: Any = None
    external_id: bool = False
    unique: bool = False
    id_lookup: bool = False
    restricted: bool = False
    values: tuple[str, ...] = ()
    target: str | None = None
    relationship: str | None = None
    children: str | None = None
    calculated: bool = False
    parts: tuple[str, ...] = ()

    @property
    def custom(self) -> bool:
        return self.name.endswith("__c")

    @property
    def required(self) -> bool:
        return self.createable and not self.nillable and not self.defaulted


@dataclass(frozen=True, kw_only=True)
class SObject:
    """One object: its key prefix and its fields in the vendor's order."""

    name: str
    label: str
    plural: str
    prefix: str
    fields: dict[str, Field]
    createable: bool = True
    updateable: bool = True
    deletable: bool = True
    hidden: frozenset[str] = frozenset()
    lower: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.lower.update({name.lower(): name for name in self.fields if name not in self.hidden})

    @property
    def visible(self) -> list[Field]:
        """The fields that the integration user may see; the others are as if they did not exist."""
        return [made for made in self.fields.values() if made.name not in self.hidden]

    def find(self, name: str) -> Field | None:
        """A field by its name, whose case does not matter to the vendor."""
        exact = self.lower.get(name.lower())
        return self.fields[exact] if exact else None

    def parent(self, relationship: str) -> Field | None:
        wanted = relationship.lower()
        return next((f for f in self.fields.values() if (f.relationship or "").lower() == wanted), None)

    def with_fields(self, fields: dict[str, Field]) -> "SObject":
        return replace(self, fields=fields, lower={})


def spaced(name: str) -> str:
    """A label made from an API name: `BillingCity` is "Billing City", `Rate_Card__c` "Rate Card"."""
    plain = name.removesuffix("__c").replace("_", " ")
    if name.endswith("Id") and len(name) > 2:
        plain = plain.removesuffix("Id") + " ID"
    out = "".join(f" {c}" if c.isupper() and i and plain[i - 1].islower() else c for i, c in enumerate(plain))
    return " ".join(out.split())


def field_of(name: str, kind: str, more: dict[str, Any], **usual: Any) -> Field:
    """A field with what is usual for its kind, except where `more` says otherwise."""
    attributes: dict[str, Any] = {"label": spaced(name)} | usual | more
    return Field(name=name, type=kind, **attributes)


def text(name: str, length: int = 255, **more: Any) -> Field:
    return field_of(name, "string", more, length=length)


def area(name: str, length: int = 32000) -> Field:
    return field_of(name, "textarea", {}, length=length)


def pick(name: str, values: str = "", **more: Any) -> Field:
    """A picklist; `values` are separated by semicolons."""
    listed = tuple(v.strip() for v in values.split(";") if v.strip())
    return field_of(name, "picklist", more, values=listed, length=255)


def ref(name: str, target: str, children: str | None = None, **more: Any) -> Field:
    relationship = name.removesuffix("Id")
    return field_of(
        name, "reference", more, length=18, target=target, children=children, relationship=relationship
    )


def money(name: str, scale: int = 2, **more: Any) -> Field:
    return field_of(name, "currency", more, precision=18, scale=scale)


def number(name: str, precision: int = 18, scale: int = 2, **more: Any) -> Field:
    return field_of(name, "double", more, precision=precision, scale=scale)


def percent(name: str, precision: int = 3, scale: int = 0, **more: Any) -> Field:
    return field_of(name, "percent", more, precision=precision, scale=scale)


def flag(name: str, *, default: bool = False, **more: Any) -> Field:
    return field_of(name, "boolean", more, nillable=False, defaulted=True, default=default)


def simple(name: str, kind: str, length: int = 0, **more: Any) -> Field:
    return field_of(name, kind, more, length=length)


def fixed(made: Field) -> Field:
    """The same field, written by the vendor alone."""
    return replace(made, createable=False, updateable=False)


def required(made: Field) -> Field:
    return replace(made, nillable=False)


def create_only(made: Field) -> Field:
    return replace(made, updateable=False)


def address(prefix: str) -> list[Field]:
    """The parts of an address and the compound that reads them together."""
    parts = [
        simple(f"{prefix}Street", "textarea", 255),
        text(f"{prefix}City", 40),
        text(f"{prefix}State", 80),
        text(f"{prefix}PostalCode", 20),
        text(f"{prefix}Country", 80),
        pick(f"{prefix}StateCode"),
        pick(f"{prefix}CountryCode"),
    ]
    compound = Field(
        name=f"{prefix}Address", type="address", label=f"{prefix} Address", createable=False,
        updateable=False, calculated=True, parts=tuple(part.name for part in parts),
    )  # fmt: skip
    return [*parts, compound]


def sobject(name: str, prefix: str, fields: list[Field | list[Field]], **more: Any) -> SObject:
    """An object with the system fields that every object has around its own."""
    own = [f for entry in fields for f in (entry if isinstance(entry, list) else [entry])]
    every = [
        Field(name="Id", type="id", label=f"{spaced(name)} ID", length=18, nillable=False, defaulted=True,
              createable=False, updateable=False, id_lookup=True),
        fixed(flag("IsDeleted", label="Deleted")),
        *own,
        pick("CurrencyIsoCode", "GBP;USD;EUR;JPY;KWD", restricted=True, defaulted=True,
             label="Currency ISO Code", length=3) if more.pop("currency", True) else None,
        fixed(required(simple("CreatedDate", "datetime", defaulted=True))),
        fixed(required(ref("CreatedById", "User", defaulted=True))),
        fixed(required(simple("LastModifiedDate", "datetime", defaulted=True))),
        fixed(required(ref("LastModifiedById", "User", defaulted=True))),
        fixed(required(simple("SystemModstamp", "datetime", defaulted=True))),
    ]  # fmt: skip
    label = more.pop("label", spaced(name).removesuffix(" 2").removesuffix("2"))
    listed = {f.name: f for f in every if f}
    return SObject(
        name=name, label=label, plural=more.pop("plural", f"{label}s"), prefix=prefix, fields=listed, **more
    )
