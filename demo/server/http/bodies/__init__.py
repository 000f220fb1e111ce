"""The bodies of requests: what is refused while they arrive, the memory they share, and uploads on the disk."""
