"""The Salesforce stand-in's custom fields: those that the firm Northbeam Advisory has added to its org."""

from sandbox.salesforce.schema.fields import Field, money, pick, simple, text

SERVICE_LINES = "Data & Analytics;Cloud Migration;Managed Services"
REGIONS = "UK & Ireland;North America;DACH"

CUSTOM_FIELDS: dict[str, list[Field]] = {
    "Opportunity": [
        pick("Service_Line__c", SERVICE_LINES, restricted=True),
        pick("Delivery_Region__c", REGIONS, restricted=True),
        pick("Pricing_Model__c", "Fixed price;Time & materials;Retainer", restricted=True),
        text("Delivery_Template__c", 40),
        simple("Expected_Start__c", "date"),
        simple("Expected_End__c", "date"),
        pick("Payment_Terms__c", "Net 30;Net 45;Net 60", restricted=True),
        text("Rate_Card__c", 40),
        text("Project_Id__c", 80),
        simple("Project_Url__c", "url", 255),
        text("Activation_Status__c", 40),
        text("Enfilade_Id__c", 64, external_id=True, unique=True, id_lookup=True),
    ],
    "Account": [
        text("Enfilade_Id__c", 64, external_id=True, unique=True, id_lookup=True),
        text("Tax_Number__c", 40),
        money("Credit_Limit__c"),
        pick("Region__c", REGIONS, restricted=True),
    ],
}
