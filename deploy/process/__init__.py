"""deploy/process: the life of a process and of its children: start, supervision, draining."""
