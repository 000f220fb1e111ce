"""Shows that nothing leaves and nothing stays: `python -m demo.prove_privacy`."""

# In the folder of a run: strace's files, each with the number of a thread behind it, and what the page has as its own.
TRACE = "trace"
HOME = "home"
TEMPORARY = "tmp"
