"""The command `python -m demo.dataset`: aligned crops and tables in CelebA's form, from any pictures."""
