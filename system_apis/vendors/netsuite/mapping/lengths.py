"""system_apis: how long NetSuite's texts may be, and what becomes of a longer one. Pure.

A name, an address, an e-mail address, a tax number, a contract's name or a line's description says something
else once it is cut: a longer one is refused here, with a fault for each, before anything is sent. The name of
a billing schedule is cut: it is a label in a list, and the order's memo has the contract's name as a whole.
The account's own fields may be of any type: NetSuite itself refuses a text that is too long for one.
"""

from collections.abc import Iterator

from contracts.canonical.contract import ContractDraft
from contracts.canonical.customer import CustomerDraft

_NAME, _EMAIL, _VAT_NUMBER, _WORDS, _SCHEDULE_NAME = 83, 254, 20, 999, 50
_ADDRESS = {"line1": 150, "line2": 150, "city": 50, "state": 30, "postal_code": 36}
Texts = Iterator[tuple[str, str, int]]


def customer_texts(draft: CustomerDraft, tax_field: str) -> Texts:
    """Where each text of a customer stands, the text, and how many characters it may have."""
    yield "legal_name", draft.legal_name, _NAME
    yield "email", draft.email, _EMAIL
    if draft.tax_registrations and tax_field == "vatRegNumber":
        yield "tax_registrations/0/number", draft.tax_registrations[0].number, _VAT_NUMBER
    if draft.billing_address is not None:
        for name, most in _ADDRESS.items():
            yield f"billing_address/{name}", getattr(draft.billing_address, name), most


def contract_texts(draft: ContractDraft) -> Texts:
    """Where each text of a contract stands, the text, and how many characters it may have."""
    yield "name", draft.name, _WORDS
    for number, line in enumerate(draft.lines):
        yield f"lines/{number}/description", line.description, _WORDS
    for number, part in enumerate(draft.billing_schedule):
        yield f"billing_schedule/{number}/description", part.description, _WORDS


def schedule_name(text: str) -> str:
    """A billing schedule's name, cut with a sign that it was."""
    return text if len(text) <= _SCHEDULE_NAME else f"{text[: _SCHEDULE_NAME - 1].rstrip()}…"
