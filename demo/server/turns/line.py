"""Lets in only a few guests at a time: places, a bound for each address, and a line for those who find none free."""

import asyncio
import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import TypeAlias, TypeVar

from demo.limits import (
    KEPT_PLACE_SECONDS,
    LOST_TURN_SECONDS,
    MAX_TURNS,
    MAX_TURNS_OF_ADDRESS,
    MAX_WAIT_SECONDS,
    MIN_WAIT_SECONDS,
    RESERVED_SECONDS,
    UPLOAD_TURN_SECONDS,
)

_Result = TypeVar("_Result")

_FIRST_GUESS_SECONDS = 0.1  # between two places becoming free, until this has been measured
_NEWEST_WEIGHT = 0.1  # in the moving average (EMA) of those seconds
# The page may ask earlier than it is told, after this long for each place in line (ASK_AGAIN_SECONDS in
# demo/browser/engines/server_photos.js). Places are kept from then on.
_ASK_AGAIN_SECONDS = 0.5
# Whose turn it is: a guest's name, or (address,) for those of an address who give none.
_Holder: TypeAlias = str | tuple[str]


class TurnedAwayError(Exception):
    """No place is free for this guest.

    Attributes:
        place: in the line, from 1.
        seconds: how long to wait before coming again.
    """

    def __init__(self, place: int, seconds: float) -> None:
        super().__init__(f"place {place} in line, for about {seconds:.1f} s")
        self.place = place
        self.seconds = seconds


@dataclass
class _Turn:
    """The turn of somebody in line.

    Attributes:
        address: where they call from.
        round: of their turn; each address has one turn in a round. Those put before all others have round 0.
        number: rises with each turn given, and decides the order within a round.
        until: when the turn is lost, by the line's clock.
        kept_until: when places are no longer kept for it.
        is_called: whether they have been told to come.
        has_come: whether they have come since, so that `keep` has kept a place for them.
        gave_way: whether they were inside and gave up their place to others.
    """

    address: str
    round: int
    number: int
    until: float = 0.0
    kept_until: float = 0.0
    is_called: bool = False
    has_come: bool = False
    gave_way: bool = False

    @property
    def rank(self) -> tuple[int, int]:
        """The sort key of turns: the smallest is first in line."""
        return self.round, self.number


class Line:
    """Gives places to guests; to be called from one thread.

    An address, if known, gets at most half of the places. While others are in line, it gets at most an equal share, so
    that the others get the next free places. Guests who are turned away get a turn: free places are kept for those in
    line, in order, so that nobody starves because others ask more often. An address's second turn comes after
    everybody's first, and so on, so many turns of a few addresses delay nobody else. A newcomer's turn is in the round
    after the current one, as in `FairThreads`.

    Programs, who give no name, share one turn of their address. They come when they are told to, so places are kept for
    them until then; whoever of them comes first takes the turn.

    Places are kept for a few seconds only. A guest who takes longer keeps the turn, but others go ahead. A guest who is
    called and asks again instead of coming loses the turn; otherwise those who only ask would stay ahead of everybody
    for ever. Guests may overtake those in line who aren't here, but only while no more are inside than there are
    workers.

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
        self._turns: dict[_Holder | None, _Turn] = {}  # None never has one
        self._numbers = count()
        self._round = 0  # the latest round from which somebody has come in
        self._pace_seconds = _FIRST_GUESS_SECONDS  # between two places becoming free, while guests wait inside
        self._left: float | None = None  # when somebody last left, if others were waiting inside

    @property
    def inside(self) -> int:
        """How many guests are inside."""
        return self._inside.total()

    def enter(self, address: str, guest: str | None = None) -> None:
        """Let somebody in.

        Args:
            address: where they call from; empty if unknown.
            guest: tells guests apart; None for one without a name, who shares a turn with others of the address, and
                gets none if that is unknown.

        Raises:
            TurnedAwayError: no place is free for them.
        """
        if not self.has_place(address, guest):
            raise self.send_away(address, guest)
        self._inside[address] += 1
        turn = self._turns.pop(_holder(address, guest), None)
        if turn:
            self._round = max(self._round, turn.round)

    def reserve(self, address: str, guest: str) -> None:
        """Keep a place for `RESERVED_SECONDS` for somebody who should come at once; only once for each turn.

        What they send may take longer to arrive, so they keep their turn for `UPLOAD_TURN_SECONDS`; see `is_called`.

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
        """Whether `reserve` has told somebody to come, and they have neither come nor lost their turn.

        Args:
            guest: as for `enter`.
        """
        turn = self._turns.get(guest)
        return turn is not None and turn.is_called and turn.until > self._clock()

    def keep(self, guest: str, seconds: float) -> None:
        """Keep the next free place for somebody who has come and is waiting; only once each time they are called.

        Args:
            guest: as for `enter`; has to be in line.
            seconds: for how long; they keep their turn for as long.
        """
        turn = self._turns[guest]
        if not turn.has_come:
            turn.has_come, turn.kept_until = True, self._clock() + seconds
            turn.until = max(turn.until, turn.kept_until)

    def stop_keeping(self, guest: str) -> None:
        """Keep no place any longer for somebody who has hung up.

        Args:
            guest: as for `enter`; ignored if not in line.
        """
        turn = self._turns.get(guest)
        if turn:
            turn.kept_until = self._clock()

    def put_first(self, address: str, guest: str | None) -> None:
        """Put somebody before everybody in line, except those who were put first earlier.

        Args:
            address: as for `enter`.
            guest: as for `enter`; ignored if not in line.
        """
        turn = self._turns.get(_holder(address, guest))
        if turn:
            turn.round, turn.number = 0, next(self._numbers)

    def is_first(self, address: str, guest: str | None) -> bool:
        """Whether somebody was put first in line.

        Args:
            address: as for `enter`.
            guest: as for `enter`.
        """
        turn = self._turns.get(_holder(address, guest))
        return turn is not None and turn.round == 0

    def has_given_way(self, address: str, guest: str | None) -> bool:
        """Whether somebody in line, or another of their address, was inside and gave up their place to others.

        Args:
            address: as for `enter`.
            guest: as for `enter`.
        """
        own = self._turns.get(_holder(address, guest))
        return any(turn.gave_way for turn in self._turns.values() if turn is own or turn.address == address != "")

    def send_away(self, address: str, guest: str | None, *, gave_way: bool = False) -> TurnedAwayError:
        """Give a turn to somebody who gets no place, or who loses the one they had.

        Args:
            address: as for `enter`.
            guest: as for `enter`.
            gave_way: whether they lose their place to others.

        Returns:
            What to tell them.
        """
        place = len(self._ahead_of(address, guest)) + 1
        seconds = min(max(place * self._pace_seconds, MIN_WAIT_SECONDS), MAX_WAIT_SECONDS)
        comes_in = seconds if guest is None else min(seconds, _ASK_AGAIN_SECONDS * place)
        self._give_turn(address, guest, comes_in + KEPT_PLACE_SECONDS, seconds + LOST_TURN_SECONDS)
        turn = self._turns.get(_holder(address, guest))
        if turn and gave_way:
            turn.gave_way = True
        return TurnedAwayError(place, seconds)

    def leave(self, address: str) -> None:
        """Take back a place.

        Args:
            address: as given to `enter`.
        """
        now = self._clock()
        if self._left is not None:
            self._pace_seconds += _NEWEST_WEIGHT * (now - self._left - self._pace_seconds)
        self._left = now if self.inside > self._workers else None
        self._inside -= Counter([address])  # also drops addresses at zero

    def _give_turn(
        self, address: str, guest: str | None, kept: float, seconds: float, *, is_called: bool = False
    ) -> None:
        """Keep the guest's turn for some seconds, or give them one unless there are too many."""
        holder = _holder(address, guest)
        turn = self._turns.get(holder)
        if turn is None:
            if holder is None or not self._can_have_turn(address):
                return
            turn = self._turns[holder] = _Turn(address, self._next_round(address), next(self._numbers))
        until, kept_until = self._clock() + seconds, self._clock() + kept
        if guest is None:  # another of those who share the turn may have been told to come later than this one
            until, kept_until = max(turn.until, until), max(turn.kept_until, kept_until)
        turn.until, turn.kept_until = until, kept_until
        turn.is_called, turn.has_come = is_called, False

    def _next_round(self, address: str) -> int:
        """The round of an address's next turn: after its others, and after the round that goes on.

        That one goes on while somebody who has a turn in it is here, even if others have come in ahead of them.
        Otherwise an address with turns in many rounds would come before newcomers in all of them.
        """
        now, turns = self._clock(), self._turns.values()
        unfinished = [turn.round for turn in turns if turn.round > 0 and turn.kept_until > now]
        theirs = [turn.round for turn in turns if turn.address == address]
        return max([min([self._round, *unfinished]), *theirs]) + 1

    def _can_have_turn(self, address: str) -> bool:
        """Whether this address may have one more turn. If all turns are taken, this may drop another one for it."""
        held = Counter(turn.address for turn in self._turns.values())
        if held[address] >= MAX_TURNS_OF_ADDRESS:
            return False
        if len(self._turns) < MAX_TURNS:
            return True
        dropped = self._least_needed(held, held[address])
        if dropped is not None:
            del self._turns[dropped]
        return dropped is not None

    def _least_needed(self, held: Counter[str], own: int) -> _Holder | None:
        """Whose turn is dropped for an address that has `own` turns; None if no other address has enough of them.

        It is one of the address that holds most: one for which no place is kept any more, or else the last. An address
        that has just one more than `own` only gives up a turn for which no place is kept.
        """
        now, most = self._clock(), max(held.values())
        if most <= own:
            return None
        crowded = [
            (turn.kept_until <= now, turn.rank, name)
            for name, turn in self._turns.items()
            if held[turn.address] == most
        ]
        is_overdue, _, dropped = max(crowded, key=lambda one: one[:2])
        return dropped if is_overdue or most > own + 1 else None

    def has_place(self, address: str, guest: str | None) -> bool:
        """Whether this guest may come in: in turn, or out of turn while no more are inside than there are workers.

        Args:
            address: as for `enter`.
            guest: as for `enter`.
        """
        now = self._clock()
        self._turns = {name: turn for name, turn in self._turns.items() if turn.until > now}
        is_turn = self._is_turn(address, self._ahead_of(address, guest))
        return is_turn or (self._room(address, self._half) > 0 and self.inside <= self._workers)

    def _ahead_of(self, address: str, guest: str | None) -> list[_Turn]:
        """The turns ahead of a guest's own, or of the one they would get, that places are kept for."""
        now = self._clock()
        own = self._turns.get(_holder(address, guest))
        rank = own.rank if own else (self._next_round(address), math.inf)
        return [turn for turn in self._turns.values() if turn.rank < rank and turn.kept_until > now]

    def _is_turn(self, address: str, ahead: list[_Turn]) -> bool:
        """Whether a place is left for this address once all those ahead who may have one have come."""
        most = self._share(address)
        others = sum(self._room(turn.address, most) > 0 for turn in ahead)
        same = sum(turn.address == address for turn in ahead)
        return self._places - self.inside > others and self._room(address, most) > same

    @property
    def _half(self) -> int:
        return max(1, self._places // 2)

    def _share(self, address: str) -> int:
        """How many guests each address may have inside while a guest of this address wants to come in."""
        waiting = {address, *(turn.address for turn in self._turns.values())}
        if len(waiting) == 1:  # the others have all the places they want
            return self._half
        return max(1, min(self._half, self._places // len(waiting | self._inside.keys())))

    def _room(self, address: str, most: int) -> int:
        """How many more guests from this address may come in; an unknown address has no bound of its own."""
        return (most if address else self._places) - self._inside[address]


def _holder(address: str, guest: str | None) -> _Holder | None:
    """Who holds a guest's turn; None if they get none, since they couldn't be recognised later."""
    if guest is not None:
        return guest
    return (address,) if address else None


async def stay(line: Line, address: str, work: "asyncio.Future[_Result]") -> _Result:
    """Wait for the work of a guest who is inside, and take back their place when the work ends, not before.

    A cancelled call stops waiting, but its work keeps the place to the end: otherwise cancelled calls would fill the
    threads beyond all bounds.

    Args:
        line: that gave the place.
        address: as given to `Line.enter`.
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
    """Take back the place of finished work."""
    line.leave(address)
    if not work.cancelled():
        work.exception()  # asyncio would log an error that nobody asks for, as after a cancelled call
