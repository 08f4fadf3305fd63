"""tests/journeys: whole business transactions, through a running deployment to the stand-in vendors."""
