"""The pipes of the house: what every floor stands on. No business noun may appear here."""
