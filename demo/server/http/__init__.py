"""How the page is served: connections, addresses, ASGI middleware, the temporary folder, errors and shutdown."""
