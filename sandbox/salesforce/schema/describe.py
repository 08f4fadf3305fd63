"""The Salesforce stand-in's describe calls: metadata as the vendor's JSON tells it."""

from typing import Any

from sandbox.salesforce.schema.fields import NUMERIC, Field, SObject

SOAP_TYPES = {
    "boolean": "xsd:boolean",
    "int": "xsd:int",
    "double": "xsd:double",
    "currency": "xsd:double",
    "percent": "xsd:double",
    "date": "xsd:date",
    "datetime": "xsd:dateTime",
    "id": "tns:ID",
    "reference": "tns:ID",
    "address": "urn:address",
}


def describe_field(made: Field) -> dict[str, Any]:
    texty = made.type not in NUMERIC | {"boolean", "date", "datetime", "address"}
    filterable = made.type not in {"textarea", "address"} or made.length == 255
    return {
        "aggregatable": filterable and made.type != "boolean",
        "autoNumber": False,
        "byteLength": made.length * 3 if texty else 0,
        "calculated": made.calculated,
        "calculatedFormula": None,
        "cascadeDelete": False,
        "caseSensitive": False,
        "compoundFieldName": None,
        "controllerName": None,
        "createable": made.createable,
        "custom": made.custom,
        "defaultValue": made.default,
        "defaultValueFormula": None,
        "defaultedOnCreate": made.defaulted,
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "digits": made.precision if made.type == "int" else 0,
        "externalId": made.external_id,
        "extraTypeInfo": None,
        "filterable": filterable,
        "groupable": filterable and made.type not in NUMERIC | {"datetime"},
        "htmlFormatted": False,
        "idLookup": made.id_lookup,
        "inlineHelpText": None,
        "label": made.label,
        "length": made.length,
        "name": made.name,
        "nameField": made.name == "Name",
        "nillable": made.nillable,
        "permissionable": made.custom or (made.nillable and made.createable),
        "picklistValues": [picklist_value(value, made.default) for value in made.values],
        "polymorphicForeignKey": False,
        "precision": made.precision,
        "queryByDistance": False,
        "referenceTo": [made.target] if made.target else [],
        "relationshipName": made.relationship,
        "relationshipOrder": None,
        "restrictedDelete": False,
        "restrictedPicklist": made.restricted,
        "scale": made.scale,
        "soapType": SOAP_TYPES.get(made.type, "xsd:string"),
        "sortable": filterable,
        "type": made.type,
        "unique": made.unique,
        "updateable": made.updateable,
        "writeRequiresMasterRead": False,
    }


def picklist_value(value: str, default: Any) -> dict[str, Any]:
    return {
        "active": True,
        "defaultValue": value == default,
        "label": value,
        "validFor": None,
        "value": value,
    }


def describe_global(made: SObject, base: str) -> dict[str, Any]:
    """The row of an object in the list of all objects."""
    root = f"{base}/sobjects/{made.name}"
    return {
        "activateable": False,
        "createable": made.createable,
        "custom": made.name.endswith("__c"),
        "customSetting": False,
        "deletable": made.deletable,
        "deprecatedAndHidden": False,
        "feedEnabled": made.name in {"Account", "Contact", "Opportunity"},
        "keyPrefix": made.prefix,
        "label": made.label,
        "labelPlural": made.plural,
        "layoutable": made.createable,
        "mergeable": made.name in {"Account", "Contact"},
        "mruEnabled": made.createable,
        "name": made.name,
        "queryable": True,
        "replicateable": True,
        "retrieveable": True,
        "searchable": made.createable,
        "triggerable": made.createable,
        "undeletable": made.deletable,
        "updateable": made.updateable,
        "urls": {
            "sobject": root,
            "describe": f"{root}/describe",
            "rowTemplate": f"{root}/{{ID}}",
        },
    }


def describe_object(made: SObject, objects: dict[str, SObject], base: str) -> dict[str, Any]:
    return describe_global(made, base) | {
        "childRelationships": child_relationships(made.name, objects),
        "fields": [describe_field(f) for f in made.visible],
        "recordTypeInfos": [
            {
                "active": True, "available": True, "defaultRecordTypeMapping": True,
                "developerName": "Master", "master": True, "name": "Master",
                "recordTypeId": "012000000000000AAA", "urls": {},
            }
        ],
        "supportedScopes": [
            {"label": f"All {made.plural.lower()}", "name": "everything"},
            {"label": f"My {made.plural.lower()}", "name": "mine"},
        ],
    }  # fmt: skip


def child_relationships(parent: str, objects: dict[str, SObject]) -> list[dict[str, Any]]:
    return [
        {
            "cascadeDelete": made.required, "childSObject": child.name, "deprecatedAndHidden": False,
            "field": made.name, "junctionIdListNames": [], "junctionReferenceTo": [],
            "relationshipName": made.children, "restrictedDelete": False,
        }
        for child in objects.values()
        for made in child.fields.values()
        if made.target == parent
    ]  # fmt: skip
