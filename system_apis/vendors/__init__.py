"""One package per vendor: everything that speaks a vendor's language is in that vendor's folder."""
