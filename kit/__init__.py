"""Infrastructure that every tier uses. No business noun may appear here."""
