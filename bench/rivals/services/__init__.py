"""bench/rivals/services: the read as three FastAPI services that call one another over HTTP."""
