"""What a run records: its state, its metrics, how it was made, and lines for a log."""
