"""The order in which addresses take turns: everybody's first item, then everybody's second, and so on."""

import heapq
from dataclasses import dataclass, field
from itertools import count
from typing import Generic, TypeVar

_Item = TypeVar("_Item")


@dataclass(order=True)
class _Place(Generic[_Item]):
    """An item's place in line.

    Attributes:
        round: in which it is due; each address has one item in a round.
        number: rises with each new item, and decides the order within a round.
        address: whose it is.
        item: the item.
    """

    round: int
    number: int
    address: str = field(compare=False)
    item: _Item = field(compare=False)


class Rounds(Generic[_Item]):
    """Items of many addresses in line. This is fair queueing, by rounds.

    A new address begins in the next round: otherwise a stream of new addresses could keep the current round from
    ending. Nothing is kept about an address without items.
    """

    def __init__(self) -> None:
        self._numbers = count()
        self._waiting: list[_Place[_Item]] = []  # a heap
        self._round = 0  # of the item taken last
        self._last_rounds: dict[str, int] = {}  # address -> the round of its last waiting item

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, address: str, item: _Item) -> None:
        """Put an item in line.

        Args:
            address: whose it is; empty if unknown, and the item then counts as a different address's.
            item: the item.
        """
        heapq.heappush(self._waiting, _Place(self._next_round(address), next(self._numbers), address, item))

    def take(self) -> _Item:
        """Take the item whose turn it is; there has to be one."""
        place = heapq.heappop(self._waiting)
        self._round = place.round
        if self._last_rounds.get(place.address) == place.round:
            del self._last_rounds[place.address]
        return place.item

    def _next_round(self, address: str) -> int:
        """The round of an address's next item."""
        if not address:
            return self._round + 1
        own = self._last_rounds.get(address, self._round) + 1
        self._last_rounds[address] = own
        return own
