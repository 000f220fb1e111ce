"""How many visitors a machine serves at once, with one copy of the page or several: `python -m demo.benchmark load`."""
