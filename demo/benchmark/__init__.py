"""What this repository says of its own speed and accuracy, measured."""
