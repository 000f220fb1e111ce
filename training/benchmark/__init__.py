"""Measures the network and its training against what the original implementation did, and against other engines."""
