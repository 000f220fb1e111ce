"""Metrics on CelebA: accuracy, calibration, subgroups, robustness and their bootstrap intervals."""
