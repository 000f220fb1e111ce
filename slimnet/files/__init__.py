"""Files that are written whole or not at all: weights, on disk and on the hub, and text tables."""
