"""The door: decides who may do what, how often, with which promise, and leaves a trace."""
