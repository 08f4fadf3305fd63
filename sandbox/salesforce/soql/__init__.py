"""The Salesforce stand-in's query language: the part of SOQL that ordinary clients use."""
