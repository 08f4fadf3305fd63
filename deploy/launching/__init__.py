"""deploy/launching: the processes of a whole house on one machine, and how other commands find them."""
