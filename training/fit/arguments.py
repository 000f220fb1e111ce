"""Types and checks of command-line flags: numbers in a range, and paths that are not empty."""

import argparse
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Range:
    """An interval of numbers; it contains neither nan nor infinity.

    Args:
        least: Lower end.
        most: Upper end.
        over: Whether the lower end is excluded.
        under: Whether the upper end is excluded.
    """

    least: float
    most: float
    over: bool = False
    under: bool = False

    def __contains__(self, value: float) -> bool:
        return self.least <= value <= self.most and not (
            (self.over and value == self.least) or (self.under and value == self.most)
        )

    def __str__(self) -> str:
        start = f"above {self.least:,}," if self.over else f"from {self.least:,}"
        return f"{start} {'up ' * self.over}to {'below ' * self.under}{self.most:,}"

    def check(self, flag: str, value: float) -> None:
        """Check that a flag's value is in the range.

        Args:
            flag: Name of the flag, without dashes.
            value: Its value.

        Raises:
            ValueError: It is not; the message names the flag.
        """
        if value < self.least and not self.over:
            raise ValueError(f"--{flag} must be at least {self.least:,}, got {value}")
        if value not in self:
            raise ValueError(f"--{flag} takes a number {self}, got {value}")


SHARE = Range(0, 1, under=True)
BATCH_SIZE = Range(1, 65_536)
RESAMPLES = Range(1, 5_000)  # each takes up to some 60 bytes per picture while the figures are worked out


def check_numbers(parser: argparse.ArgumentParser, options: argparse.Namespace, **allowed: Range) -> None:
    """End the command with a usage error, as argparse does, if an option's number is out of range.

    Args:
        parser: Parser that reports the error.
        options: Parsed options.
        **allowed: Range of each option to check, by the option's name.
    """
    try:
        for flag, numbers in allowed.items():
            numbers.check(flag, getattr(options, flag))
    except ValueError as error:
        parser.error(str(error))


def add_data_dirs(parser: argparse.ArgumentParser) -> None:
    """Add --data_dir to a command that measures weights on the pictures of one or more folders.

    Args:
        parser: Parser of the command.
    """
    parser.add_argument(
        "--data_dir", type=given, nargs="+", default=["data"], metavar="FOLDER",
        help="CelebA: the tables and img_align_celeba/; or several such folders, which together label what the weights "
        "know (default: data)",
    )  # fmt: skip


def add_device(parser: argparse.ArgumentParser) -> None:
    """Add --device.

    Args:
        parser: Parser of the command.
    """
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps (default: %(default)s)")


def add_batch_size(parser: argparse.ArgumentParser) -> None:
    """Add --batch_size to a command that only reads pictures.

    Args:
        parser: Parser of the command.
    """
    parser.add_argument("--batch_size", default=64, type=int, help="pictures at a time (default: %(default)s)")


def add_resamples(parser: argparse.ArgumentParser) -> None:
    """Add --resamples.

    Args:
        parser: Parser of the command.
    """
    parser.add_argument(
        "--resamples", default=1000, type=int, help="bootstrap samples behind the intervals (default: %(default)s)"
    )


def given(text: str) -> str:
    """Accept the name of a file or folder, as an argparse type.

    Refuses an empty name, such as an unset shell variable, since it would mean the current folder.

    Args:
        text: The name.

    Returns:
        The name, unchanged.

    Raises:
        argparse.ArgumentTypeError: The name is empty.
    """
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; name a file or folder, . for this one")
    return text


def given_path(text: str) -> Path:
    """Accept the name of a file or folder, like `given`, but return a Path.

    Args:
        text: The name.

    Raises:
        argparse.ArgumentTypeError: The name is empty.
    """
    return Path(given(text))
