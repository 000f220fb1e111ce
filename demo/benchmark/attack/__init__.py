"""What others' costly input costs an honest visitor: `python -m demo.benchmark attack`."""
