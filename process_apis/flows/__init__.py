"""One room per flow; flows do not know each other and meet through their process interfaces."""
