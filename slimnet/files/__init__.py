"""Files that are there whole or not at all: weights, on disk and on the hub, and tables in text form."""
