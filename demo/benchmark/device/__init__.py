"""Compares the engine in the browser with the server's."""
