"""The bodies of requests: what is refused while they arrive, the memory that they share, and uploads on the disk."""
