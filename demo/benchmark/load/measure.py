"""How many visitors a machine serves at once: live films and photos, over HTTP and without browsers.

Every answer is compared with the answer that a lone visitor gets for the same picture. Photos must agree; followed
faces may differ a little, since their landmarks are some frames old.
"""

import math
import os
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from demo.batch.workers import core_count
from demo.benchmark.load.replicas import TRUST_THIS_MACHINE, replicas
from demo.benchmark.load.visitors import Panel, Visitor, answer_of_lone_visitor, make_films, make_photos
from demo.benchmark.report import Spread, spread
from demo.benchmark.server import PageServer
from demo.pipeline.face import overlap
from slimnet.predictor import PROBABILITY_TOLERANCE

_FILMS = 8  # different ones; visitors with the same film are at different places in it
_PLACES_APART = 7  # frames
_KNOWN_AFTER = 5  # frames of a film, all of its faces have been found
# How much a followed face may differ: boxes that overlap less, or probabilities whose mean difference is larger, are
# another face.
_MIN_OVERLAP = 0.7
_MAX_MEAN_DIFFERENCE = 0.12
MIN_SHARE_OF_MEDIAN = 0.6  # for the visitor who gets the fewest answers
# The first visitor's address; each of the others has the next one. The network is for benchmarks (RFC 2544).
_LIVE_ADDRESS, _PHOTO_ADDRESS = IPv4Address("198.18.0.1"), IPv4Address("198.19.0.1")


@dataclass(frozen=True)
class ServerState:
    """The resources that the server's processes use.

    Attributes:
        memory_mb: resident memory.
        files: open files, connections included.
        threads: threads.
        cpu_seconds: processor time so far.
    """

    memory_mb: float
    files: int
    threads: int
    cpu_seconds: float


@dataclass(frozen=True)
class Load:
    """The answers to a crowd.

    Attributes:
        cores: of the machine that serves; None if that is another one than this.
        seconds: how long it was measured.
        pace: frames a second that each live visitor wants; None for as many as possible.
        faces: in front of each camera, on average.
        live: answered frames of each live visitor.
        photos: answered photos of each photo visitor.
        frame_delay: from sending a frame to its answer; None if there was none.
        photo_delay: the same for photos.
        turned_away: how many answers were "busy".
        failures: what was wrong with an answer -> how often.
        before: the server before the crowd came; None if it is on another machine, or not on Linux.
        after: the server after it left.
        late: how many answers came after the end; they are in none of the other figures but the server's.
        addresses: from how many addresses the visitors called; the page bounds what each address gets.
        lasted: seconds from `before` to `after`, with the answers that came late; 0 if it was not recorded.
    """

    cores: int | None
    seconds: float
    pace: float | None
    faces: float
    live: tuple[int, ...]
    photos: tuple[int, ...]
    frame_delay: Spread | None
    photo_delay: Spread | None
    turned_away: int
    failures: dict[str, int]
    before: ServerState | None
    after: ServerState | None
    late: int = 0
    addresses: int = 1
    lasted: float = 0.0

    @property
    def least_share(self) -> float:
        """Frames of the live visitor who got the fewest, as a share of the median; 1 if there are none."""
        return share_of_median(self.live)

    @property
    def least_photo_share(self) -> float:
        """The same of photos."""
        return share_of_median(self.photos)

    @property
    def is_good(self) -> bool:
        """Whether every answer was right and no visitor was starved."""
        return not self.failures and is_fair(self.live) and is_fair(self.photos)


def share_of_median(answers: Sequence[int]) -> float:
    """Compare the visitor who got the fewest answers with the others.

    Args:
        answers: how many each visitor got.

    Returns:
        A share of the median; 1 if there are no visitors.
    """
    return float(min(answers) / max(1.0, float(np.median(answers)))) if answers else 1.0


def is_fair(answers: Sequence[int]) -> bool:
    """Whether no visitor was starved: each got an answer, and a fair share where there were enough to tell.

    Args:
        answers: how many each visitor got.
    """
    if not answers:
        return True
    median = float(np.median(answers))
    # One answer less is a large share of a few, but may only mean that the end came just before it.
    return min(answers) >= max(1, min(MIN_SHARE_OF_MEDIAN * median, math.floor(median) - 1))


def measure_load(
    crowds: list[int],
    photo_visitors: int,
    pace: float | None,
    seconds: float,
    url: str | None = None,
    copies: int | None = None,
    *,
    one_face: bool = False,
) -> Iterator[Load]:
    """Let crowds of visitors come, one after another.

    Args:
        crowds: numbers of live visitors.
        photo_visitors: how many others send photos at the same time.
        pace: frames a second of each live visitor; None for as many as possible.
        seconds: how long each crowd stays.
        url: a page that is being served; None to serve one.
        copies: how many copies of the page to serve behind nginx; None for one without a proxy.
        one_face: whether each live visitor is alone in front of the camera.

    Yields:
        The figures of each crowd.

    Raises:
        demo.benchmark.server.NotServedError: the page, or nginx, is not served.
        demo.benchmark.load.visitors.PanelError: there is no such page, or it gives a lone visitor no faces.
    """
    with served_page(min(_FILMS, max(crowds)), url, copies, one_face=one_face) as page:
        for crowd in crowds:
            yield page.measure(crowd, photo_visitors, pace, seconds)


@contextmanager
def served_page(
    films: int = _FILMS, url: str | None = None, copies: int | None = None, *, one_face: bool = False
) -> Iterator["Page"]:
    """Serve a page for crowds, or use one that is being served.

    Args:
        films: different ones for live visitors.
        url: as for `measure_load`.
        copies: as for `measure_load`.
        one_face: as for `measure_load`.

    Yields:
        The page.

    Raises:
        demo.benchmark.server.NotServedError: the page, or nginx, is not served.
        demo.benchmark.load.visitors.PanelError: there is no such page, or it gives a lone visitor no faces.
    """
    with ExitStack() as stack:
        pids: list[int] = []
        is_ours = url is None
        if url is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            if copies:
                served = stack.enter_context(replicas(copies, folder))
                url, servers = served.url, served.pages
            else:
                page = PageServer(("app.py", "--device", "cpu"), folder, environment=TRUST_THIS_MACHINE)
                servers = (stack.enter_context(page),)
                url = servers[0].url
            pids = [server.process.pid for server in servers if server.process]
        yield Page(url, make_films(films, one_face=one_face), pids, name_addresses=is_ours)


class Page:
    """A served page, what visitors send to it, and how it answers a lone visitor.

    Args:
        url: its address.
        films: of the live visitors.
        pids: the server's process ids; empty if unknown.
        name_addresses: whether each visitor names an address of its own, as a proxy would; the page has to trust that.

    Raises:
        demo.benchmark.load.visitors.PanelError: there is no such page, or it gives a lone visitor no faces.
    """

    def __init__(self, url: str, films: list[list[str]], pids: Sequence[int], *, name_addresses: bool = False) -> None:
        self._pids = pids
        self._name_addresses = name_addresses
        self.live, self.photo = Panel(url, "analyse_frame"), Panel(url, "analyse_photo")
        self._films = films
        self._photos = [{"visitor": "alone", "picture": picture, "name": "photo.jpg"} for picture in make_photos()]
        connection = self.live.connect()
        self._frame_answers: list[list[dict[str, Any]]] = []
        for film in tqdm(self._films, "alone", leave=False):
            # The film's last frames come first, as on every later swing, when the faces are already known.
            asked = [{"visitor": "alone", "frame": frame, "crop": None} for frame in film[-_KNOWN_AFTER:] + film]
            answers = [
                answer_of_lone_visitor(lambda sent: self.live.ask(connection, sent), message, message)
                for message in asked
            ]
            self.live.ask(connection, {"visitor": "alone", "leave": True})
            self._frame_answers.append(answers[_KNOWN_AFTER:])
        turn = {"visitor": "alone", "turn": True}
        self._photo_answers = [
            answer_of_lone_visitor(lambda sent: self.photo.ask(connection, sent), photo, turn) for photo in self._photos
        ]
        connection.close()

    def faces(self, crowd: int) -> float:
        """How many faces are in front of each camera of a crowd, on average."""
        films = (self._frame_answers[number % len(self._films)] for number in range(crowd))
        return float(np.mean([len(answer.get("faces", ())) for film in films for answer in film])) if crowd else 0.0

    def live_visitor(self, number: int, until: float, pace: float | None) -> Visitor:
        """A visitor with a film; visitors with the same film are at different places in it."""
        film, answers = self._films[number % len(self._films)], self._frame_answers[number % len(self._films)]
        start = number * _PLACES_APART % len(film)
        film, answers = film[start:] + film[:start], answers[start:] + answers[:start]
        messages = [{"visitor": f"visitor {number}", "frame": frame, "crop": None} for frame in film]
        return Visitor(
            f"live-{number}",
            self._called_from(_LIVE_ADDRESS + number, self.live),
            messages,
            is_live=True,
            until=until,
            rate=pace,
            check=lambda place, answer: frame_fault(answers[place], answer),
        )

    def photo_visitor(self, number: int, until: float) -> Visitor:
        """A visitor with photos."""
        answers = self._photo_answers
        return Visitor(
            f"photo-{number}",
            self._called_from(_PHOTO_ADDRESS + number, self.photo),
            [photo | {"visitor": f"photo visitor {number}"} for photo in self._photos],
            is_live=False,
            until=until,
            rate=None,
            check=lambda place, answer: photo_fault(answers[place], answer),
        )

    def _called_from(self, address: IPv4Address, panel: Panel) -> Panel:
        """A panel for a visitor with this address; for all of them the same if they name none."""
        return panel.called_from(str(address)) if self._name_addresses else panel

    def measure(self, crowd: int, photo_visitors: int, pace: float | None, seconds: float) -> Load:
        """Let a crowd come and go.

        Args:
            crowd: number of live visitors.
            photo_visitors: as for `measure_load`.
            pace: as for `measure_load`.
            seconds: how long they stay.

        Returns:
            The answers they got.
        """
        before = server_state(self._pids)
        began = time.monotonic()
        until = began + seconds
        live = [self.live_visitor(number, until, pace) for number in range(crowd)]
        photo = [self.photo_visitor(number, until) for number in range(photo_visitors)]
        visitors = live + photo
        for visitor in visitors:
            visitor.start()
        for visitor in tqdm(visitors, f"{crowd} live, {photo_visitors} photo visitors", leave=False):
            visitor.join()
        connection = self.live.connect()
        for visitor in live:
            visitor.panel.ask(connection, {"visitor": visitor.messages[0]["visitor"], "leave": True}, visitor.browser)
        connection.close()
        after, ended = server_state(self._pids), time.monotonic()
        return Load(
            core_count() if self._pids else None,
            seconds,
            pace,
            round(self.faces(crowd), 2),
            tuple(len(visitor.delays) for visitor in live),
            tuple(len(visitor.delays) for visitor in photo),
            spread([delay for visitor in live for delay in visitor.delays]),
            spread([delay for visitor in photo for delay in visitor.delays]),
            sum(visitor.turned_away for visitor in visitors),
            dict(Counter(failure for visitor in visitors for failure in visitor.failures)),
            before,
            after,
            sum(visitor.late for visitor in visitors),
            len(visitors) if self._name_addresses else 1,
            ended - began,
        )


def named_cores(cores: int | None) -> str:
    """The cores of the machine that serves, in words.

    Args:
        cores: None if that is another machine than this one.
    """
    return "a page elsewhere" if cores is None else f"{cores} cores"


def frame_fault(expected: dict[str, Any], answer: dict[str, Any]) -> str | None:
    """Find what is wrong with a frame's answer.

    Args:
        expected: the answer to a lone visitor.
        answer: the answer in the crowd.

    Returns:
        None if each face is where it should be and has the right probabilities, within what following allows; else a
        few words.
    """
    return _fault(expected, answer, _MIN_OVERLAP, _MAX_MEAN_DIFFERENCE)


def photo_fault(expected: dict[str, Any], answer: dict[str, Any]) -> str | None:
    """Find what is wrong with a photo's answer, like `frame_fault`; here the answers must agree.

    Args:
        expected: the answer to a lone visitor.
        answer: the answer in the crowd.
    """
    return _fault(expected, answer, 1.0, PROBABILITY_TOLERANCE)


def _fault(
    expected: dict[str, Any], answer: dict[str, Any], least_overlap: float, most_difference: float
) -> str | None:
    if "faces" not in answer:
        return str(answer.get("error", "no faces in the answer"))
    if len(answer["faces"]) != len(expected["faces"]):
        return f"{len(answer['faces'])} faces instead of {len(expected['faces'])}"
    for face in expected["faces"]:
        closest = max(answer["faces"], key=lambda other: overlap(face["box"], other["box"]))
        if overlap(face["box"], closest["box"]) < least_overlap:
            return "a face at another place"
        difference = np.abs(np.subtract(face["probabilities"], closest["probabilities"])).mean()
        if difference > most_difference:
            return "other probabilities"
    return None


def server_state(pids: Sequence[int]) -> ServerState | None:
    """The total resources that these processes use, without those that they have started, such as decoders of photos.

    Args:
        pids: process ids; empty if unknown.

    Returns:
        None if no process is known, one has ended, or the system has no /proc.
    """
    processes = [Path(f"/proc/{pid}") for pid in pids]
    if not processes or not all(process.exists() for process in processes):
        return None
    page_bytes, ticks = os.sysconf("SC_PAGE_SIZE"), os.sysconf("SC_CLK_TCK")
    resident = [int((process / "statm").read_text(encoding="ascii").split()[1]) for process in processes]
    stats = [(process / "stat").read_text(encoding="ascii").rpartition(")")[2] for process in processes]
    return ServerState(
        round(sum(resident) * page_bytes / 1e6, 1),
        sum(len(list((process / "fd").iterdir())) for process in processes),
        sum(len(list((process / "task").iterdir())) for process in processes),
        sum(int(time) for stat in stats for time in stat.split()[11:13]) / ticks,
    )


def load_lines(load: Load) -> str:
    """Format the figures for people.

    Args:
        load: the figures of one crowd.

    Returns:
        Some lines; the first is the machine's capacity.
    """
    return "\n".join(_lines(load))


def _lines(load: Load) -> Iterator[str]:
    live, photos = sum(load.live) / load.seconds, sum(load.photos) / load.seconds
    parts = []
    if load.live:
        median = float(np.median(load.live)) / load.seconds
        faces = "1 face" if load.faces == 1 else f"{load.faces:g} faces"
        parts.append(f"{len(load.live)} live visitors at {median:.1f} frames/s ({live:.1f} in all, {faces} each)")
    if load.photos:
        parts.append(f"{photos:.1f} photos/s")
    yield f"{named_cores(load.cores)}: {', '.join(parts)}"
    for name, delay in (("frame", load.frame_delay), ("photo", load.photo_delay)):
        if delay:
            yield f"  {name} to answer: p50 {delay.median:.0f} ms, p95 {delay.p95:.0f} ms"
    if load.live:
        yield f"  the live visitor with fewest frames got {load.least_share:.2f} of the median"
    if load.photos:
        yield f"  the photo visitor with fewest photos got {load.least_photo_share:.2f} of the median"
    faults = "; ".join(f"{why} ({count})" for why, count in load.failures.items()) or "none"
    yield f"  wrong answers: {faults}; turned away for a moment: {load.turned_away}; addresses: {load.addresses}"
    if load.before and load.after:
        pairs = zip(asdict(load.before).items(), asdict(load.after).values(), strict=True)
        held = ", ".join(f"{name} {before:g} -> {after:g}" for (name, before), after in pairs)
        answers = sum(load.live) + sum(load.photos) + load.late
        work = 1000 * (load.after.cpu_seconds - load.before.cpu_seconds) / max(1, answers)
        yield f"  server: {held}; {work:.1f} ms of processor time for each answer"
