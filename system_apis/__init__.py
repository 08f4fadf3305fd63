"""The system floor: one canonical interface per capability, one room per vendor behind it."""
