"""The system tier: one canonical interface per capability, one package per vendor behind it."""
