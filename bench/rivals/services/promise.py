"""bench/rivals/services: the read's models, written again as such a service writes them."""

import datetime as dt
from decimal import Decimal

from pydantic import BaseModel


class Money(BaseModel):
    amount: Decimal
    currency: str


class Line(BaseModel):
    description: str
    due: dt.date
    amount: Money
    billed: bool


class Record(BaseModel):
    id: str
    number: str
    customer: str
    start: dt.date
    end: dt.date
    lines: list[Line]


class Summary(BaseModel):
    record: Record
    value: Money
    billed: Money


class Row(BaseModel):
    label: str
    due: dt.date
    amount: Money


class Screen(BaseModel):
    id: str
    title: str
    start: dt.date
    end: dt.date
    value: Money
    billed: Money
    rows: list[Row]
