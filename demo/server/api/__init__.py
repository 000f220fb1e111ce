"""For programs: the endpoints, the tool for language models, and the download of the pictures that they name."""
