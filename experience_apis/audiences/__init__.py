"""One room per audience; audiences do not know each other."""
