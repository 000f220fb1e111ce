"""A machine's capacity in one line: how many live visitors it serves at a given pace, or how many photos."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from demo.benchmark.load.measure import Load, named_cores, served_page

_PHOTO_VISITORS = 4  # who each send one photo after another
_LEAST_SHARE_OF_PACE = 0.95  # that the median visitor must get
_MOST_VISITORS = 512


@dataclass(frozen=True)
class Capacity:
    """What a machine serves.

    Attributes:
        cores: of the machine that serves; None if that is another one than this.
        pace: frames a second that each live visitor wants.
        live: the most live visitors who get that pace, fair shares and right answers, without photo visitors.
        photos: photos a second, from visitors who send one after another, without live visitors.
        tried: the crowds that it took to find this out; the last is that of the photo visitors.
    """

    cores: int | None
    pace: float
    live: int
    photos: float
    tried: tuple[Load, ...]

    @property
    def line(self) -> str:
        """The capacity in words."""
        visitors = "live visitor" if self.live == 1 else "live visitors"
        return (
            f"{named_cores(self.cores)}: {self.live} {visitors} at {_LEAST_SHARE_OF_PACE * self.pace:g} of "
            f"{self.pace:g} frames/s each or more, and no photos; "
            f"or {self.photos:.1f} photos/s, and no live visitors"
        )


def measure_capacity(
    pace: float, seconds: float, url: str | None = None, copies: int | None = None, *, one_face: bool = False
) -> Capacity:
    """Try crowds until the largest that is served at a pace is found, then some visitors who send photos.

    Args:
        pace: frames a second that each live visitor wants.
        seconds: how long each crowd stays.
        url: a page that is being served; None to serve one.
        copies: how many copies of the page to serve behind nginx; None for one without a proxy.
        one_face: whether each live visitor is alone in front of the camera.

    Returns:
        The machine's capacity.

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
        load: the answers to the crowd, each of whom wanted a pace.
    """
    wanted = (load.pace or 0.0) * load.seconds
    return load.is_good and float(np.median(load.live)) >= _LEAST_SHARE_OF_PACE * wanted


def largest(is_served: Callable[[int], bool], most: int) -> int:
    """Find the largest number that is served, by doubling and then halving the steps.

    Args:
        is_served: called with a number from 1; all numbers below one that is served count as served, too.
        most: the largest number to try.

    Returns:
        The number; 0 if not even 1 is served.
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
