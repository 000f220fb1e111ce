"""How many live visitors a machine serves at a given pace, and how many photos: its capacity, in one line."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from demo.benchmark.load.measure import Load, served_page

_PHOTO_VISITORS = 4  # who each send one photo after the other
_LEAST_SHARE_OF_PACE = 0.95  # that the median visitor gets, so that one late answer at the end does not count
_MOST_VISITORS = 512


@dataclass(frozen=True)
class Capacity:
    """What a machine serves.

    Attributes:
        cores: of the machine.
        pace: frames a second that each live visitor wants.
        live: live visitors at most who get that pace, each a fair share and right answers.
        photos: a second, of visitors who send one after the other, while there are no others.
        tried: the crowds that were let in to find it.
    """

    cores: int
    pace: float
    live: int
    photos: float
    tried: tuple[Load, ...]

    @property
    def line(self) -> str:
        """The capacity, for people."""
        visitors = "live visitor" if self.live == 1 else "live visitors"
        return f"{self.cores} cores: {self.live} {visitors} at {self.pace:g} frames/s, or {self.photos:.1f} photos/s"


def measure_capacity(
    pace: float, seconds: float, url: str | None = None, copies: int | None = None, *, one_face: bool = False
) -> Capacity:
    """Let crowds come until the largest is found that is served at a pace, then some who send photos.

    Args:
        pace: frames a second that each live visitor wants.
        seconds: how long each crowd stays.
        url: a page that is served already; None to serve one for this.
        copies: of the page to serve behind nginx; None for one without a proxy.
        one_face: whether each live visitor is alone before the camera.

    Returns:
        What the machine serves.

    Raises:
        demo.benchmark.server.NotServedError: the page, or nginx, is not served.
    """
    tried: list[Load] = []
    with served_page(url=url, copies=copies, one_face=one_face) as page:

        def is_served(crowd: int) -> bool:
            tried.append(page.measure(crowd, 0, pace, seconds))
            return serves(tried[-1])

        live = largest(is_served, _MOST_VISITORS)
        tried.append(page.measure(0, _PHOTO_VISITORS, None, seconds))
    return Capacity(tried[-1].cores, pace, live, sum(tried[-1].photos) / seconds, tuple(tried))


def serves(load: Load) -> bool:
    """Whether a crowd got what it wanted: the pace, fair shares and right answers.

    Args:
        load: what the crowd was answered; each of it wanted a pace.
    """
    wanted = (load.pace or 0.0) * load.seconds
    return load.is_good and float(np.median(load.live)) >= _LEAST_SHARE_OF_PACE * wanted


def largest(is_served: Callable[[int], bool], most: int) -> int:
    """Find the largest number that is served, by doubling and then halving the steps.

    Args:
        is_served: asks for a number from 1; all numbers below one that is served are taken to be served as well.
        most: the largest number to ask for.

    Returns:
        The number; 0 where 1 is not served.
    """
    good, bad = 0, 1
    while bad <= most and is_served(bad):
        good, bad = bad, 2 * bad
    bad = min(bad, most + 1)
    while bad - good > 1:
        middle = (good + bad) // 2
        if is_served(middle):
            good = middle
        else:
            bad = middle
    return good
