"""deploy/demo: the demo of a won deal, run over HTTP as a user would and checked at the vendors."""
