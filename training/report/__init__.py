"""Reports of an evaluation: Markdown, CSV tables and plots."""
