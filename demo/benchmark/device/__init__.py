"""The engine that reads faces in the browser, beside that of the server."""
