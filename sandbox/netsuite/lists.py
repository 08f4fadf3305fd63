"""The NetSuite stand-in's fixed lists: what enumerated fields may hold, with the text a person sees."""

_COUNTRIES = (
    "AE United Arab Emirates;AR Argentina;AT Austria;AU Australia;BE Belgium;BG Bulgaria;BR Brazil;"
    "CA Canada;CH Switzerland;CL Chile;CN China;CO Colombia;CY Cyprus;CZ Czech Republic;DE Germany;"
    "DK Denmark;EE Estonia;EG Egypt;ES Spain;FI Finland;FR France;GB United Kingdom;GR Greece;"
    "HK Hong Kong;HR Croatia;HU Hungary;ID Indonesia;IE Ireland;IL Israel;IN India;IS Iceland;IT Italy;"
    "JP Japan;KE Kenya;KR South Korea;KW Kuwait;LI Liechtenstein;LT Lithuania;LU Luxembourg;LV Latvia;"
    "MA Morocco;MT Malta;MX Mexico;MY Malaysia;NG Nigeria;NL Netherlands;NO Norway;NZ New Zealand;"
    "PE Peru;PH Philippines;PL Poland;PT Portugal;QA Qatar;RO Romania;RS Serbia;SA Saudi Arabia;"
    "SE Sweden;SG Singapore;SI Slovenia;SK Slovakia;TH Thailand;TR Turkey;TW Taiwan;UA Ukraine;"
    "US United States;UY Uruguay;VN Vietnam;ZA South Africa"
)


def _list(text: str) -> dict[str, str]:
    """`A First;B Second` as ids and texts."""
    parts = (entry.strip().partition(" ") for entry in text.split(";"))
    return {key: value or key for key, _, value in parts}


LISTS: dict[str, dict[str, str]] = {
    "country": _list(_COUNTRIES),
    "customerStatus": _list(
        "6 LEAD-Unqualified;7 LEAD-Qualified;8 PROSPECT-In Discussion;10 PROSPECT-Proposal;"
        "13 CUSTOMER-Closed Won;14 PROSPECT-Closed Lost;15 CUSTOMER-Renewal;16 CUSTOMER-Lost Customer"
    ),
    "customerCategory": _list("1 Corporate;2 Individual;3 Partner"),
    "creditHold": _list("AUTO Auto;ON On;OFF Off"),
    "customForm": _list("1 Standard Form;297 Enterprise Form"),
    "orderStatus": _list("A Pending Approval;B Pending Fulfillment;C Cancelled;H Closed"),
    "salesOrderStatus": _list(
        "A Pending Approval;B Pending Fulfillment;C Cancelled;D Partially Fulfilled;"
        "E Pending Billing/Partially Fulfilled;F Pending Billing;G Billed;H Closed"
    ),
    "invoiceStatus": _list("A Open;B Paid In Full;D Pending Approval;E Rejected;V Voided"),
    "approvalStatus": _list("1 Pending Approval;2 Approved;3 Rejected;11 Cancelled"),
    "source": _list("restWebServices REST Web Services;ui User Interface"),
    "priceLevel": _list("-1 Custom;1 Base Price;2 Alternate Price 1;3 Alternate Price 2"),
    "scheduleType": _list(
        "STD Standard;CB Charge-Based;FBI Fixed Bid, Interval;FBM Fixed Bid, Milestone;TM Time and Materials;"
        "1 Standard;2 Charge-Based;3 Fixed Bid, Interval;4 Fixed Bid, Milestone;5 Time and Materials"
    ),
    "frequency": _list(
        "NEVER Never;DAILY Daily;WEEKLY Weekly;BIWEEKLY Bi-Weekly;TWICEAMONTH Twice a Month;MONTHLY Monthly;"
        "QUARTERLY Quarterly;TWICEAYEAR Twice a Year;ANNUALLY Annually;CUSTOM Custom"
    ),
    "repeatEvery": _list("1 1;2 2;3 3;4 4;6 6"),
    "units": _list("DAY Day;WEEK Week;MONTH Month"),
    "jobBillingType": _list(
        "1 Charge-Based;2 Fixed Bid, Interval;3 Fixed Bid, Milestone;4 Time and Materials;5 None"
    ),
    "jobStatus": _list("1 Closed;2 In Progress;3 Not Awarded;4 Awarded;5 Pending"),
    "projectExpenseType": _list("-2 Regular"),
    "timeApproval": _list("1 None;2 Supervisor;3 Project Manager;4 Both"),
    "currencyPrecision": _list("0 0;2 2;3 3"),
    "itemType": _list("Service Service"),
}
