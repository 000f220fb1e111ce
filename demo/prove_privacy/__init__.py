"""Shows that nothing leaves and nothing stays: `python -m demo.prove_privacy`."""

# In the folder of a run: strace's files (each name ends in the number of a thread), and what the page is given as its
# home and its temporary folder.
TRACE = "trace"
HOME = "home"
TEMPORARY = "tmp"
