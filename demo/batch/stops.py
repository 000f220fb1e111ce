"""How a resumable run stops early, and what it says then."""

import sys
from collections.abc import Callable
from typing import NoReturn

from demo.batch.reach import AllOutOfReachError
from demo.batch.workers import WorkerError
from demo.terminal import printable

STOPS = (KeyboardInterrupt, AllOutOfReachError, WorkerError, OSError)


def explain_stop(error: BaseException, place: str, restarted: bool) -> int:
    """Print why a run stopped, and how to resume it.

    Args:
        error: one of `STOPS`; an OSError means that writing failed.
        place: where the results so far are.
        restarted: whether the command has --restart, which would drop them if it were given again.

    Returns:
        The exit status: 130 if interrupted, else 1.
    """
    same = "The same command without --restart" if restarted else "The same command"
    if isinstance(error, KeyboardInterrupt):
        print(f"Interrupted; the results up to here are in {place}. {same} goes on.", file=sys.stderr)
        return 130
    if isinstance(error, OSError):
        named = printable(str(error.filename or place))
        reason = error.strerror or error
        print(f"{named} cannot be written: {reason}. {same} goes on from {place}.", file=sys.stderr)
    elif isinstance(error, AllOutOfReachError):
        again = same[0].lower() + same[1:]
        print(f"Stopped: {printable(str(error))}. Once they are back, {again} goes on.", file=sys.stderr)
    else:
        print(f"Stopped: {error}. {same} goes on, best with fewer --workers.", file=sys.stderr)
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
