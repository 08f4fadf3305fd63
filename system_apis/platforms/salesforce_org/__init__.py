"""system_apis: a Salesforce org as its applications share it: login, REST API, SOQL, change events, check."""
