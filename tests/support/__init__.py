"""tests/support: what the tests stand on: real servers, stand-in vendors and the hands on their controls."""
