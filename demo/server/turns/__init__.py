"""Whose turn it is: lines, places and threads that are shared fairly among addresses."""
