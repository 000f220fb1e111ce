"""Options that several commands share, and their types, for argparse."""

import argparse


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add --device, where the network runs.

    Args:
        parser: of the command.
    """
    parser.add_argument(
        "--device",
        default="auto",
        choices=("auto", "cpu", "cuda", "mps"),
        help="where the network runs (default: %(default)s)",
    )


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
