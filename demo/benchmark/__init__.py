"""Measures the speed and accuracy that this repository claims."""
