"""The gateway's own interfaces, for the people who run it; served on the internal listener only."""
