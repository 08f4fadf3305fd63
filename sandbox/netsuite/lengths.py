"""How many characters the NetSuite stand-in takes in a text field; a longer text is refused, never cut."""

from sandbox.netsuite.schema import Field, RecordType

CUSTOM = 300
# By the field's name on every record that has it.
LENGTHS = {
    "accountNumber": 99,
    "addr1": 150,
    "addr2": 150,
    "addr3": 150,
    "addrPhone": 32,
    "addressId": 30,
    "addressee": 83,
    "attention": 83,
    "city": 50,
    "comments": 4000,
    "companyName": 83,
    "description": 999,
    "displayName": 60,
    "displaySymbol": 8,
    "edition": 30,
    "email": 254,
    "entityId": 83,
    "fax": 32,
    "federalIdNumber": 20,
    "firstName": 32,
    "incomeAccount": 60,
    "itemId": 60,
    "label": 50,
    "lastName": 32,
    "legalName": 83,
    "memo": 999,
    "middleName": 32,
    "mobilePhone": 32,
    "name": 60,
    "officePhone": 32,
    "opportunity": 30,
    "otherRefNum": 45,
    "phone": 32,
    "salesDescription": 999,
    "salutation": 30,
    "state": 30,
    "symbol": 8,
    "title": 99,
    "tranId": 45,
    "units": 30,
    "url": 100,
    "vatRegNumber": 20,
    "zip": 36,
}
# Where one record's field differs from its namesakes.
OF_RECORD = {
    ("billingSchedule", "comments"): 999,
    ("billingSchedule", "name"): 50,
    ("subsidiary", "name"): 83,
}
# Texts that are numbers, and the external id, which has its own alphabet.
UNLIMITED = frozenset({"amount", "externalId", "initialAmount"})


def longest(kind: RecordType, known: Field) -> int | None:
    """How many characters this field takes; None for any number of them."""
    if known.custom:
        return CUSTOM
    return OF_RECORD.get((kind.name, known.name), LENGTHS.get(known.name))
