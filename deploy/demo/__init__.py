"""deploy/demo: the demo of a won deal, played as people play it and checked at the vendors themselves."""
