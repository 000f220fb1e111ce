"""How the page is served: ASGI middleware, uploads and the temporary folder, addresses, errors and shutdown."""
