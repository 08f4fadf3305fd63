"""deploy/telling: the story of a won deal, played as people play it and checked at the vendors themselves."""
