"""Who is let in where only a few can be: places, a bound for each address, and a line for those who find none free."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TypeVar

from demo.limits import MAX_TURNS, RESERVED_SECONDS, UPLOAD_TURN_SECONDS

_Result = TypeVar("_Result")

_FIRST_GUESS_SECONDS = 0.1  # from one place that becomes free to the next, before any has been seen to
_NEWEST_WEIGHT = 0.1  # in the moving average (EMA) of those seconds
# Of what somebody in line is told to wait.
_MIN_WAIT_SECONDS, _MAX_WAIT_SECONDS = 0.2, 20.0
# Who has not come back by then, beyond the time told, has lost the turn.
_GRACE_SECONDS = 10.0
# For a shorter time free places are kept for them. The page asks more often than it is told, by this for each place in
# line (ASK_AGAIN_SECONDS of demo/browser/engines/server_photos.js).
_KEPT_SECONDS, _ASK_AGAIN_SECONDS = 3.0, 0.5


class TurnedAwayError(Exception):
    """No place is free for this guest.

    Attributes:
        place: in the line, from 1.
        seconds: after which to come again.
    """

    def __init__(self, place: int, seconds: float) -> None:
        super().__init__(f"place {place} in line, for about {seconds:.1f} s")
        self.place = place
        self.seconds = seconds


@dataclass
class _Turn:
    """Somebody in line.

    Attributes:
        address: where they call from.
        round: in which it is their turn; each address has one turn in a round, and those before all others have 0.
        number: in the order in which turns were given, which is theirs within a round.
        until: when the turn is lost, by the line's clock.
        kept_until: when places are no longer kept for it.
        is_called: whether they have been told to come.
    """

    address: str
    round: int
    number: int
    until: float = 0.0
    kept_until: float = 0.0
    is_called: bool = False

    @property
    def rank(self) -> tuple[int, int]:
        """By which turns are ordered: the smallest is the first in line."""
        return self.round, self.number


class Line:
    """Gives places to guests; to be called from one thread.

    One address gets at most half of the places, unless it is not known; while others are in line, an equal share of all
    places, so that those which become free are theirs first. Who is turned away keeps a turn: places that
    become free are kept for those in line, the first first, so that nobody is starved by others who ask more often. An
    address's second turn comes after everybody's first, and so on: many turns of a few addresses delay nobody else.
    Whoever comes anew has a turn in the round after that which goes on, as in `FairThreads`.
    Places are kept for a few seconds only: who takes longer keeps the turn, but others go on meanwhile. Who is called
    and asks again instead of coming has lost it, or those who only ask would stand before everybody for ever. Only
    while fewer are inside than keep the workers busy does somebody overtake those who are in line and not here.

    Args:
        places: how many guests may be inside.
        workers: how many of them are worked on at the same time; fewer than the places.
        clock: tells the time in seconds.
    """

    def __init__(self, places: int, workers: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._places = places
        self._workers = workers
        self._clock = clock
        self._inside: Counter[str] = Counter()
        self._turns: dict[str, _Turn] = {}  # guest -> theirs
        self._numbers = count()
        self._round = 0  # of the turn that came in last
        self._pace_seconds = _FIRST_GUESS_SECONDS  # from one place that becomes free to the next, while all are taken
        self._left: float | None = None  # when somebody left last and others waited inside

    @property
    def inside(self) -> int:
        """How many guests are inside."""
        return self._inside.total()

    def enter(self, address: str, guest: str | None = None) -> None:
        """Let somebody in.

        Args:
            address: where they call from; empty where that is not known.
            guest: tells guests apart; None for one who gets no turn, since nobody would know them again.

        Raises:
            TurnedAwayError: no place is free for them.
        """
        if not self.has_place(address, guest):
            raise self.send_away(address, guest)
        self._inside[address] += 1
        turn = self._turns.pop(guest or "", None)
        if turn:
            self._round = max(self._round, turn.round)

    def reserve(self, address: str, guest: str) -> None:
        """Keep a place for somebody, who is to come at once; once for each turn, and for `RESERVED_SECONDS`.

        What they send may take longer to arrive: for `UPLOAD_TURN_SECONDS` they keep their turn, see `is_called`.

        Args:
            address: as for `enter`.
            guest: as for `enter`.

        Raises:
            TurnedAwayError: no place is free for them.
        """
        turn = self._turns.get(guest)
        if turn and turn.is_called:
            if turn.kept_until > self._clock():
                return
            del self._turns[guest]
        if not self.has_place(address, guest):
            raise self.send_away(address, guest)
        self._give_turn(address, guest, RESERVED_SECONDS, UPLOAD_TURN_SECONDS, is_called=True)

    def is_called(self, guest: str) -> bool:
        """Whether somebody has been told to come by `reserve`, and has neither come nor lost the turn.

        Args:
            guest: as for `enter`.
        """
        turn = self._turns.get(guest)
        return turn is not None and turn.is_called and turn.until > self._clock()

    def keep(self, guest: str, seconds: float) -> None:
        """Keep the next place that becomes free for somebody who has come and waits.

        Args:
            guest: as for `enter`, one who is in line.
            seconds: for how long.
        """
        turn = self._turns[guest]
        turn.kept_until = self._clock() + seconds
        turn.until = max(turn.until, turn.kept_until)

    def put_first(self, guest: str) -> None:
        """Put somebody before all who are in line, but for others who were put there before.

        Args:
            guest: as for `enter`; nothing is done for one who is not in line.
        """
        turn = self._turns.get(guest)
        if turn:
            turn.round, turn.number = 0, next(self._numbers)

    def is_first(self, guest: str) -> bool:
        """Whether somebody in line was put before the others.

        Args:
            guest: as for `enter`.
        """
        turn = self._turns.get(guest)
        return turn is not None and turn.round == 0

    def send_away(self, address: str, guest: str | None) -> TurnedAwayError:
        """Give somebody a turn who gets no place, or loses the one that they had.

        Args:
            address: as for `enter`.
            guest: as for `enter`.

        Returns:
            What to tell them.
        """
        place = len(self._ahead_of(address, guest)) + 1
        seconds = min(max(place * self._pace_seconds, _MIN_WAIT_SECONDS), _MAX_WAIT_SECONDS)
        if guest is not None:
            kept = min(seconds, _ASK_AGAIN_SECONDS * place) + _KEPT_SECONDS
            self._give_turn(address, guest, kept, seconds + _GRACE_SECONDS)
        return TurnedAwayError(place, seconds)

    def leave(self, address: str) -> None:
        """Take back a place.

        Args:
            address: as it was given to `enter`.
        """
        now = self._clock()
        if self._left is not None:
            self._pace_seconds += _NEWEST_WEIGHT * (now - self._left - self._pace_seconds)
        self._left = now if self.inside > self._workers else None
        self._inside -= Counter([address])  # forgets an address that has nobody inside

    def _give_turn(self, address: str, guest: str, kept: float, seconds: float, *, is_called: bool = False) -> None:
        """Keep the guest's turn for some seconds, or give one, unless too many from this address have one."""
        turn = self._turns.get(guest)
        if turn is None:
            if not self._can_have_turn(address):
                return
            turn = self._turns[guest] = _Turn(address, self._next_round(address), next(self._numbers))
        now = self._clock()
        turn.until, turn.kept_until, turn.is_called = now + seconds, now + kept, is_called

    def _next_round(self, address: str) -> int:
        """The round of the next turn that an address gets."""
        theirs = [turn.round for turn in self._turns.values() if turn.address == address]
        return max([self._round, *theirs]) + 1

    def _can_have_turn(self, address: str) -> bool:
        """Whether one more turn of this address is within its bound, and within that of all, or made to be."""
        turns = Counter(turn.address for turn in self._turns.values())
        if turns[address] >= self._places:
            return False
        if len(self._turns) < MAX_TURNS:
            return True
        now = self._clock()
        overdue = next((name for name, turn in self._turns.items() if turn.kept_until <= now), None)
        if overdue is not None:
            del self._turns[overdue]
            return True
        crowded, most = turns.most_common(1)[0]
        if most <= turns[address] + 1:
            return False
        theirs = [name for name, turn in self._turns.items() if turn.address == crowded]
        del self._turns[max(theirs, key=lambda name: self._turns[name].rank)]
        return True

    def has_place(self, address: str, guest: str | None) -> bool:
        """Whether this guest may come in, or may overtake those in line since workers are idle.

        Args:
            address: as for `enter`.
            guest: as for `enter`.
        """
        now = self._clock()
        self._turns = {name: turn for name, turn in self._turns.items() if turn.until > now}
        is_turn = self._is_turn(address, self._ahead_of(address, guest))
        return is_turn or (self._room(address, self._half) > 0 and self.inside <= self._workers)

    def _ahead_of(self, address: str, guest: str | None) -> list[_Turn]:
        """The turns before a guest's own, or before that which they would get, for which places are kept."""
        now = self._clock()
        own = self._turns.get(guest or "")
        rank = own.rank if own else (self._next_round(address), math.inf)
        return [turn for turn in self._turns.values() if turn.rank < rank and turn.kept_until > now]

    def _is_turn(self, address: str, ahead: list[_Turn]) -> bool:
        """Whether a place remains for this address when all those ahead of it who can have one have come."""
        most = self._share(address)
        others = sum(self._room(turn.address, most) > 0 for turn in ahead)
        same = sum(turn.address == address for turn in ahead)
        return self._places - self.inside > others and self._room(address, most) > same

    @property
    def _half(self) -> int:
        return max(1, self._places // 2)

    def _share(self, address: str) -> int:
        """How many guests of one address may be inside while a guest of this address wants to come in."""
        waiting = {address, *(turn.address for turn in self._turns.values())}
        if len(waiting) == 1:  # others have all the places that they want
            return self._half
        return max(1, min(self._half, self._places // len(waiting | self._inside.keys())))

    def _room(self, address: str, most: int) -> int:
        """How many more guests from this address may be inside; an address that is not known has no bound."""
        return (most if address else self._places) - self._inside[address]


async def stay(line: Line, address: str, work: "asyncio.Future[_Result]") -> _Result:
    """Wait for the work of a guest who is inside; the place is taken back when the work ends, and not before.

    A call that is cancelled waits no longer, but leaves its work alone, which keeps the place to its end: otherwise
    cancelled calls would fill the threads beyond all bounds.

    Args:
        line: whose place it is.
        address: as it was given to `Line.enter`.
        work: what is done for the guest.

    Returns:
        What the work returns.

    Raises:
        Exception: anything that the work raises.
    """
    work.add_done_callback(partial(_end, line, address))
    await asyncio.wait({work})
    return work.result()


def _end(line: Line, address: str, work: "asyncio.Future[_Result]") -> None:
    """Take back the place of work that has ended."""
    line.leave(address)
    if not work.cancelled():
        work.exception()  # asyncio would log one that nobody asks for, since the call was cancelled
