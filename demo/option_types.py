"""Types of options for argparse that several commands share."""

import argparse


def positive(text: str) -> int:
    """Parse a whole number of at least 1.

    Args:
        text: the value on the command line.

    Raises:
        argparse.ArgumentTypeError: the text is not such a number.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 1 on")
    return int(text)
