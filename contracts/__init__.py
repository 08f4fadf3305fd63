"""Frozen Structs, interfaces and problems that all tiers share."""
