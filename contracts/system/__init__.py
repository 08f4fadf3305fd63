"""What a vendor must be able to do, by capability: one interface each, whatever the vendor."""
