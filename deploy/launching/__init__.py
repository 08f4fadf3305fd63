"""deploy/launching: the processes of a whole deployment on one machine, and how other commands find them."""
