"""Shows that nothing leaves and nothing stays: `python -m demo.prove_privacy`."""

# In a run's folder: strace's files (each name ends in a thread's number), and the page's home and temporary folder.
TRACE = "trace"
HOME = "home"
TEMPORARY = "tmp"
