"""bench/rivals/services: the read as three FastAPI services that ask one another over HTTP."""
