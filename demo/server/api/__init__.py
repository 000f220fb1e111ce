"""For programs: the endpoints, the tool for language models, and the download of pictures that models name."""
