"""The ASGI application: guard, routes and hot paths."""
