"""One package per audience; audiences do not import each other."""
