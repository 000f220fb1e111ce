"""What the maintainers publish: the Hugging Face Space, the page for static hosts, the README's screenshots."""
