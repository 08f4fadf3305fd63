"""The vendors' rooms: everything that speaks a vendor's language stands in that vendor's folder."""
