"""The Salesforce stand-in's standard objects: opportunity to cash, with the vendor's lengths and rules."""

from sandbox.salesforce.schema.fields import (
    Field,
    SObject,
    address,
    area,
    create_only,
    fixed,
    flag,
    money,
    number,
    percent,
    pick,
    ref,
    required,
    simple,
    sobject,
    text,
)

INDUSTRIES = "Banking;Consulting;Energy;Engineering;Finance;Manufacturing;Media;Technology;Other"
SOURCES = "Web;Phone Inquiry;Partner Referral;Purchased List;Other"
# Name, probability, forecast category, closed, won: the stages that a new org has.
STAGES = (
    ("Prospecting", 10, "Pipeline", False, False),
    ("Qualification", 10, "Pipeline", False, False),
    ("Needs Analysis", 20, "Pipeline", False, False),
    ("Value Proposition", 50, "Pipeline", False, False),
    ("Id. Decision Makers", 60, "Pipeline", False, False),
    ("Perception Analysis", 70, "Pipeline", False, False),
    ("Proposal/Price Quote", 75, "Pipeline", False, False),
    ("Negotiation/Review", 90, "Pipeline", False, False),
    ("Closed Won", 100, "Closed", True, True),
    ("Closed Lost", 0, "Omitted", True, False),
)
FORECAST = "Omitted;Pipeline;BestCase;MostLikely;Forecast;Closed"
FORECAST_NAMES = "Omitted;Pipeline;Best Case;Commit;Closed"


def owner(children: str | None = None) -> Field:
    return ref("OwnerId", "User", children, nillable=False, defaulted=True)


def accounts() -> SObject:
    return sobject("Account", "001", [
        fixed(ref("MasterRecordId", "Account", relationship="MasterRecord")),
        required(text("Name", 255, label="Account Name")),
        pick("Type", "Prospect;Customer - Direct;Customer - Channel;Partner;Other", label="Account Type"),
        ref("ParentId", "Account", "ChildAccounts", label="Parent Account ID"),
        address("Billing"), address("Shipping"),
        simple("Phone", "phone", 40), simple("Fax", "phone", 40), text("AccountNumber", 40),
        simple("Website", "url", 255), pick("Industry", INDUSTRIES), money("AnnualRevenue", 0),
        simple("NumberOfEmployees", "int"), pick("Ownership", "Public;Private;Subsidiary;Other"),
        area("Description"), pick("Rating", "Hot;Warm;Cold"), owner(), pick("AccountSource", SOURCES),
    ])  # fmt: skip


def contacts() -> SObject:
    return sobject("Contact", "003", [
        ref("AccountId", "Account", "Contacts"), required(text("LastName", 80)), text("FirstName", 40),
        pick("Salutation", "Mr.;Ms.;Mrs.;Dr.;Prof."), fixed(text("Name", 121, label="Full Name")),
        address("Mailing"), simple("Phone", "phone", 40), simple("MobilePhone", "phone", 40),
        ref("ReportsToId", "Contact", label="Reports To ID"), simple("Email", "email", 80, id_lookup=True),
        text("Title", 128), text("Department", 80), pick("LeadSource", SOURCES), area("Description"),
        owner(), fixed(flag("IsEmailBounced")),
    ])  # fmt: skip


def opportunities() -> SObject:
    stages = ";".join(stage[0] for stage in STAGES)
    return sobject("Opportunity", "006", [
        ref("AccountId", "Account", "Opportunities"), flag("IsPrivate", label="Private"),
        required(text("Name", 120, label="Name")), area("Description"),
        required(pick("StageName", stages, label="Stage")), money("Amount"),
        percent("Probability", label="Probability (%)", defaulted=True),
        fixed(money("ExpectedRevenue")), number("TotalOpportunityQuantity", 18, 2, label="Quantity"),
        required(simple("CloseDate", "date")), pick("Type", "New Business;Existing Business"),
        text("NextStep", 255), pick("LeadSource", SOURCES),
        fixed(flag("IsClosed", label="Closed")), fixed(flag("IsWon", label="Won")),
        fixed(pick("ForecastCategory", FORECAST, restricted=True)),
        pick("ForecastCategoryName", FORECAST_NAMES, label="Forecast Category", defaulted=True),
        fixed(flag("HasOpportunityLineItem", label="Has Line Item")),
        ref("Pricebook2Id", "Pricebook2", "Opportunities", label="Price Book ID"), owner(),
        fixed(simple("LastStageChangeDate", "datetime")),
        fixed(simple("FiscalQuarter", "int")), fixed(simple("FiscalYear", "int")),
        fixed(text("Fiscal", 6, label="Fiscal Period")), create_only(ref("ContactId", "Contact")),
        ref("ContractId", "Contract"),
    ], plural="Opportunities")  # fmt: skip


def line_items() -> SObject:
    return sobject("OpportunityLineItem", "00k", [
        create_only(required(ref("OpportunityId", "Opportunity", "OpportunityLineItems"))),
        simple("SortOrder", "int"), create_only(ref("PricebookEntryId", "PricebookEntry")),
        create_only(ref("Product2Id", "Product2", label="Product ID")),
        fixed(text("ProductCode", 255)), fixed(text("Name", 376)),
        required(number("Quantity", 12, 2)), money("TotalPrice"), money("UnitPrice", label="Sales Price"),
        fixed(money("ListPrice")), simple("ServiceDate", "date"), text("Description", 255),
        percent("Discount", 5, 2),
    ], label="Opportunity Product")  # fmt: skip


def stages() -> SObject:
    return sobject("OpportunityStage", "01J", [
        text("MasterLabel"), text("ApiName"), flag("IsActive"), simple("SortOrder", "int"),
        flag("IsClosed"), flag("IsWon"), pick("ForecastCategory", FORECAST),
        pick("ForecastCategoryName", FORECAST_NAMES), percent("DefaultProbability"), area("Description", 255),
    ], currency=False, createable=False, updateable=False, deletable=False)  # fmt: skip


def products() -> list[SObject]:
    product = sobject("Product2", "01t", [
        required(text("Name", 255, label="Product Name")), text("ProductCode"), text("Description", 4000),
        flag("IsActive", label="Active"), pick("Family", "Services;Software;Other"), text("ExternalId"),
        text("StockKeepingUnit", 180, label="Product SKU"), pick("QuantityUnitOfMeasure", "Each;Hour;Day"),
    ], label="Product")  # fmt: skip
    book = sobject("Pricebook2", "01s", [
        required(text("Name", 255, label="Price Book Name")), flag("IsActive", label="Active"),
        text("Description", 255), fixed(flag("IsStandard", label="Is Standard Price Book")),
    ], label="Price Book", currency=False)  # fmt: skip
    entry = sobject("PricebookEntry", "01u", [
        fixed(text("Name", 255, label="Product Name")),
        create_only(required(ref("Pricebook2Id", "Pricebook2", "PricebookEntries"))),
        create_only(required(ref("Product2Id", "Product2", "PricebookEntries"))),
        required(money("UnitPrice", label="List Price")), flag("IsActive", label="Active"),
        flag("UseStandardPrice"), fixed(text("ProductCode")),
    ], label="Price Book Entry", plural="Price Book Entries")  # fmt: skip
    return [product, book, entry]


def people() -> list[SObject]:
    user = sobject("User", "005", [
        required(text("Username", 80)), required(text("LastName", 80)), text("FirstName", 40),
        fixed(text("Name", 121, label="Full Name")), required(simple("Email", "email", 128)),
        required(text("Alias", 8)), text("CommunityNickname", 40), text("Title", 80), flag("IsActive"),
        required(pick("TimeZoneSidKey", "Europe/London;America/New_York;Europe/Berlin")),
        required(pick("LocaleSidKey", "en_GB;en_US;de_DE")),
        required(pick("EmailEncodingKey", "UTF-8")), required(pick("LanguageLocaleKey", "en_US;de")),
        required(ref("ProfileId", "Profile")), pick("UserType", "Standard;AutomatedProcess"),
        pick("DefaultCurrencyIsoCode", "GBP;USD;EUR;JPY;KWD"), text("EmployeeNumber", 20),
        text("FederationIdentifier", 512), ref("ManagerId", "User"),
    ], deletable=False, label="User")  # fmt: skip
    profile = sobject("Profile", "00e", [
        required(text("Name")), text("Description"), text("UserType", 40),
        *[flag(name) for name in ("PermissionsApiEnabled", "PermissionsViewSetup", "PermissionsModifyAllData",
                                  "PermissionsViewAllData")],
    ], currency=False, createable=False, deletable=False)  # fmt: skip
    organization = sobject("Organization", "00D", [
        text("Name", 80), text("InstanceName", 5), flag("IsSandbox"), pick("OrganizationType"),
        text("NamespacePrefix", 15), pick("DefaultLocaleSidKey"), pick("TimeZoneSidKey"),
        pick("LanguageLocaleKey"), text("Country", 80), simple("TrialExpirationDate", "datetime"),
    ], createable=False, deletable=False, currency=False)  # fmt: skip
    currency = sobject("CurrencyType", "01L", [
        pick("IsoCode", "GBP;USD;EUR;JPY;KWD"), number("ConversionRate", 18, 6),
        simple("DecimalPlaces", "int"), flag("IsActive"), flag("IsCorporate"),
    ], currency=False, deletable=False)  # fmt: skip
    return [user, profile, organization, currency]


def contracts() -> SObject:
    return sobject("Contract", "800", [
        create_only(required(ref("AccountId", "Account", "Contracts"))), ref("Pricebook2Id", "Pricebook2"),
        simple("StartDate", "date"), simple("EndDate", "date"), simple("ContractTerm", "int"), owner(),
        pick("Status", "Draft;In Approval Process;Activated", defaulted=True, default="Draft"),
        fixed(pick("StatusCode", "Draft;InApproval;Activated")), fixed(text("ContractNumber", 30)),
        area("SpecialTerms", 4000), area("Description"), simple("CustomerSignedDate", "date"),
        simple("CompanySignedDate", "date"), ref("CustomerSignedId", "Contact"),
        ref("CompanySignedId", "User"),
    ])  # fmt: skip


def orders() -> list[SObject]:
    order = sobject("Order", "801", [
        ref("AccountId", "Account", "Orders"), ref("ContractId", "Contract", "Orders"),
        ref("Pricebook2Id", "Pricebook2"),
        required(simple("EffectiveDate", "date", label="Order Start Date")),
        simple("EndDate", "date"), required(pick("Status", "Draft;Activated")),
        fixed(pick("StatusCode", "Draft;Activated")), pick("Type"), text("PoNumber", 80), owner(),
        fixed(text("OrderNumber", 30)), fixed(money("TotalAmount")), area("Description"),
    ])  # fmt: skip
    item = sobject("OrderItem", "802", [
        create_only(required(ref("OrderId", "Order", "OrderItems"))),
        create_only(required(ref("PricebookEntryId", "PricebookEntry"))), ref("Product2Id", "Product2"),
        required(number("Quantity", 18, 2)), required(money("UnitPrice")), fixed(money("ListPrice")),
        fixed(money("TotalPrice")), simple("ServiceDate", "date"), simple("EndDate", "date"),
        text("Description", 255),
    ], label="Order Product")  # fmt: skip
    return [order, item]


def quotes() -> list[SObject]:
    quote = sobject("Quote", "0Q0", [
        required(text("Name")), create_only(required(ref("OpportunityId", "Opportunity", "Quotes"))),
        ref("Pricebook2Id", "Pricebook2"), ref("ContactId", "Contact"), fixed(ref("AccountId", "Account")),
        pick("Status", "Draft;Needs Review;In Review;Approved;Rejected;Presented;Accepted;Denied"),
        simple("ExpirationDate", "date"), fixed(text("QuoteNumber", 30)), owner(),
    ])  # fmt: skip
    line = sobject("QuoteLineItem", "0QL", [
        create_only(required(ref("QuoteId", "Quote", "QuoteLineItems"))),
        create_only(required(ref("PricebookEntryId", "PricebookEntry"))), ref("Product2Id", "Product2"),
        required(number("Quantity", 12, 2)), required(money("UnitPrice")), percent("Discount", 5, 2),
        fixed(money("TotalPrice")), simple("ServiceDate", "date"),
    ])  # fmt: skip
    return [quote, line]


def standard_objects() -> dict[str, SObject]:
    every = [
        accounts(), contacts(), opportunities(), line_items(), stages(), *products(), *people(),
        contracts(), *orders(), *quotes(),
    ]  # fmt: skip
    return {made.name: made for made in every}
