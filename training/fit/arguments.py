"""What a command-line flag takes: numbers in a range, paths that are not empty; anything else is refused by name."""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Range:
    """Numbers from least to most; over, under: without the end itself. Neither nan nor infinity is in any."""

    least: float
    most: float
    over: bool = False
    under: bool = False

    def __contains__(self, value: float) -> bool:
        return self.least <= value <= self.most and not (
            (self.over and value == self.least) or (self.under and value == self.most)
        )

    def __str__(self) -> str:
        return f"{'over' if self.over else 'from'} {self.least:,} {'to below' if self.under else 'to'} {self.most:,}"

    def check(self, flag: str, value: float) -> None:
        """Raise ValueError that names the flag when the value is not in the range."""
        if value < self.least and not self.over:
            raise ValueError(f"--{flag} must be at least {self.least:,}, got {value}")
        if value not in self:
            raise ValueError(f"--{flag} takes a number {self}, got {value}")


SHARE = Range(0, 1, under=True)
BATCH_SIZE = Range(1, 65_536)
RESAMPLES = Range(1, 20_000)  # each takes 4 bytes a picture


def check_numbers(parser: argparse.ArgumentParser, options: argparse.Namespace, **allowed: Range) -> None:
    """End the command, as argparse does, when an option's number is not in its range."""
    try:
        for flag, numbers in allowed.items():
            numbers.check(flag, getattr(options, flag))
    except ValueError as error:
        parser.error(str(error))


def given(text: str) -> str:
    """Take a file or folder, as argparse's type: not an empty name, as of a shell variable that is not set, which would
    stand for the current folder."""
    if not text.strip():
        raise argparse.ArgumentTypeError("is empty; name a file or folder, . for this one")
    return text


def given_path(text: str) -> Path:
    """As given, but as a Path."""
    return Path(given(text))
