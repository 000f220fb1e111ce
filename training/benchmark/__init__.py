"""Compares the network and its training with the original implementation, and with other engines."""
