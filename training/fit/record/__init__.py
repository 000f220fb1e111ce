"""What a run leaves: its state, its metrics, how it was made, and lines for a log."""
