"""What each audience sees: one interface per audience, with its screen Structs."""
