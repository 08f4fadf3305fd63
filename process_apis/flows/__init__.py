"""One package per flow; flows do not import each other and meet through their process interfaces."""
