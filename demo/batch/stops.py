"""How a resumable run stops early, and what it says then."""

import sys
from collections.abc import Callable
from typing import NoReturn

from demo.batch.workers import WorkerError

STOPS = (KeyboardInterrupt, WorkerError, OSError)


def explain_stop(error: BaseException, place: str) -> int:
    """Print why a run stopped, and how to resume it.

    Args:
        error: one of `STOPS`; an OSError means that writing failed.
        place: where the results so far are.

    Returns:
        The exit status: 130 if interrupted, else 1.
    """
    if isinstance(error, KeyboardInterrupt):
        print(f"Interrupted; the results up to here are in {place}. The same command goes on.", file=sys.stderr)
        return 130
    if isinstance(error, OSError):
        named = error.filename or place
        reason = error.strerror or error
        print(f"{named} cannot be written: {reason}. The same command goes on from {place}.", file=sys.stderr)
    else:
        print(f"Stopped: {error}. The same command goes on, best with fewer --workers.", file=sys.stderr)
    return 1


def exit_with(main: Callable[[], int]) -> NoReturn:
    """End the process with a command's exit status, also if it is interrupted before its first picture.

    Args:
        main: the command.
    """
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
