"""Whose turn it is: lines, places and threads, shared fairly among addresses."""
