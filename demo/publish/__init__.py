"""What the maintainers publish: the Hugging Face Space and the screenshots of the README."""
