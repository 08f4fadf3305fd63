"""The Toy PSA stand-in, as the conformance suites know it."""

from sandbox.toypsa.golden import GOLDEN

from sandbox.core.stand import Noun, Stand

_CLIENT, _PROJECT = ("PUT", "/clients/by-key/"), ("PUT", "/projects/by-key/")

STAND = Stand(
    reads=("GET", "/projects"),
    nouns={"client": Noun("clients", _CLIENT), "project": Noun("projects", _PROJECT)},
    breaks={"id": 5, "plan": None},
    effects=(_CLIENT, _PROJECT),
    golden=GOLDEN,
)
