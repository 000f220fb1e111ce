"""How long honest visitors wait while others send what is made to keep the server busy."""

import json
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from demo.benchmark.attack.inputs import Attack, make_attacks
from demo.benchmark.attack.senders import Senders
from demo.benchmark.load.measure import frame_fault, photo_fault, server_state
from demo.benchmark.load.replicas import TRUST_THIS_MACHINE
from demo.benchmark.load.visitors import (
    Panel,
    answer_of_lone_visitor,
    ask_until_answered,
    make_films,
    make_large_photo,
)
from demo.benchmark.server import PageServer
from slimnet.files.atomic import replace_text

MAX_WAIT_SECONDS = 3.0
MAX_ATTACK_SECONDS = 20.0  # until each sender has an answer; without one, whole bodies may never have been read
_OPEN_FILES = 1024
_HONEST_ADDRESS = "198.51.100.1"
_FRAMES_PER_SECOND, _PHOTOS_PER_SECOND = 10, 2  # that the honest visitors want
_SETTLE_SECONDS = 1.0


@dataclass(frozen=True)
class Attacked:
    """What an attack cost others.

    Attributes:
        name: of the attack.
        request_bytes: size of its body.
        addresses: from how many addresses it came.
        answers: status, "cut off" or "no connection" -> how many of its requests got that.
        frames: that the live visitor was answered.
        longest_frame_wait: the visitor's longest wait, in seconds.
        photos: that the photo visitor was answered.
        longest_photo_wait: the visitor's longest wait, in seconds, from sending a photo first to its answer.
        failures: what was wrong with an honest visitor's answers.
        memory_mb: of the server, after it.
        log_bytes: that the server wrote meanwhile.
        seconds: that it took.
        ends: whether its requests end, so that each can have an answer.
    """

    name: str
    request_bytes: int
    addresses: int
    answers: dict[str, int]
    frames: int
    longest_frame_wait: float
    photos: int
    longest_photo_wait: float
    failures: list[str]
    memory_mb: float | None
    log_bytes: int
    seconds: float
    ends: bool

    @property
    def is_measured(self) -> bool:
        """Whether a request was answered or cut off, unless none of them ends."""
        return not self.ends or bool(self.answers.keys() - {"no connection"})

    @property
    def is_good(self) -> bool:
        """Whether the attack was measured, and every answer to honest visitors was right and came in time."""
        longest = max(self.longest_frame_wait, self.longest_photo_wait)
        return self.is_measured and not self.failures and longest < MAX_WAIT_SECONDS


@dataclass(eq=False)
class Honest(threading.Thread):
    """A visitor who sends one picture, again and again, and comes back as told where the page is busy.

    Attributes:
        panel: the function that is called.
        message: what is sent.
        question: what is sent after "busy": the message again, or whether it is the visitor's turn.
        rate: how many pictures a second are wanted.
        fault: tells by the answer before the attack what is wrong with another one, or None.
        waits: seconds to each answer, from sending the picture first.
        failures: what was wrong with answers.

    Raises:
        demo.benchmark.load.visitors.PanelError: there are no faces in the answer before the attack.
    """

    panel: Panel
    message: dict[str, Any]
    question: dict[str, Any]
    rate: float
    fault: Callable[[dict[str, Any], dict[str, Any]], str | None]
    waits: list[float] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(daemon=True)
        self._end = threading.Event()
        self._connection = self.panel.connect()
        # The attack before may still keep the page busy.
        self._expected = answer_of_lone_visitor(self._ask, self.message, self.question)

    def run(self) -> None:
        """Visit."""
        while not self._end.is_set():
            began = time.monotonic()
            answer, _ = ask_until_answered(self._ask, self.message, self.question)
            self.waits.append(time.monotonic() - began)
            wrong = self.fault(self._expected, answer)
            if wrong:
                self.failures.append(wrong)
            self._end.wait(began + 1 / self.rate - time.monotonic())
        self._connection.close()

    def _ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """The answer to a message, over a new connection where the last one was closed while it was idle."""
        answer = self.panel.ask(self._connection, message)
        is_closed = "error" in answer and self._connection.sock is None
        return self.panel.ask(self._connection, message) if is_closed else answer

    def stop(self) -> None:
        """Leave, once the last picture is answered."""
        self._end.set()
        self.join()


def report_attack(seconds: float, addresses: list[int], file: Path | None) -> bool:
    """Attack a page that is served for this, and print a line for each attack.

    Args:
        seconds: of each attack, at least; it goes on until each sender has an answer, up to `MAX_ATTACK_SECONDS`.
        addresses: from how many addresses attacks come, for each of them that does not say so itself.
        file: for all figures as JSON; None for none.

    Returns:
        Whether every attack is good, as `Attacked.is_good` says.

    Raises:
        demo.benchmark.server.NotServedError: the page is not served.
        demo.benchmark.load.visitors.PanelError: an honest visitor is not answered before an attack.
    """
    attacked = []
    for result in measure_attacks(seconds, addresses):
        print(attack_line(result), flush=True)
        attacked.append(result)
    if file:
        replace_text(file, json.dumps([asdict(result) for result in attacked], indent=1) + "\n")
    return all(result.is_good for result in attacked)


def measure_attacks(seconds: float, addresses: list[int]) -> Iterator[Attacked]:
    """As `report_attack`, which prints what this yields."""
    few_files = ("sh", "-c", f'ulimit -n {_OPEN_FILES}; exec "$@"', "sh")
    with (
        tempfile.TemporaryDirectory() as folder,
        PageServer(
            ("app.py", "--device", "cpu"), Path(folder), environment=TRUST_THIS_MACHINE, tracer=few_files
        ) as server,
    ):
        live, photo = (Panel(server.url, name, _HONEST_ADDRESS) for name in ("analyse_frame", "analyse_photo"))
        frame = {"visitor": "honest", "frame": make_films(1)[0][0]}
        picture = {"visitor": "honest", "picture": make_large_photo(), "name": "photo.jpg"}
        turn = {"visitor": "honest", "turn": True}
        for attack in list(make_attacks(live, photo)):
            for count in attack.addresses or addresses:
                visitors = (
                    Honest(live, frame, frame, _FRAMES_PER_SECOND, frame_fault),
                    Honest(photo, picture, turn, _PHOTOS_PER_SECOND, photo_fault),
                )
                yield _measure(server, attack, count, seconds, *visitors)


def _measure(
    server: PageServer, attack: Attack, addresses: int, seconds: float, live: Honest, photo: Honest
) -> Attacked:
    """Attack for some seconds, with the honest visitors before, during and after."""
    ends = bool(attack.path) and not attack.missing_bytes
    before = server.log_bytes
    url = urlsplit(server.url)
    senders = Senders(attack, str(url.hostname), int(url.port or 0), addresses)
    live.start()
    photo.start()
    time.sleep(_SETTLE_SECONDS)
    began = time.monotonic()
    senders.start()
    time.sleep(seconds)
    if ends:
        senders.all_answered.wait(max(0.0, MAX_ATTACK_SECONDS - seconds))
    lasted = time.monotonic() - began
    senders.stop()
    live.stop()
    photo.stop()
    state = server_state([server.process.pid]) if server.process else None
    return Attacked(
        attack.name,
        len(attack.body),
        min(addresses, attack.senders),
        dict(senders.answers),
        len(live.waits),
        max(live.waits),
        len(photo.waits),
        max(photo.waits),
        sorted({*live.failures, *photo.failures}),
        state.memory_mb if state else None,
        server.log_bytes - before,
        lasted,
        ends,
    )


def attack_line(attacked: Attacked) -> str:
    """One attack in a line.

    Args:
        attacked: what it cost.
    """
    answers = ", ".join(f"{answer}: {count}" for answer, count in sorted(attacked.answers.items())) or "none"
    faults = f"; WRONG: {', '.join(attacked.failures)}" if attacked.failures else ""
    if not attacked.is_measured:
        faults += f"; NOT MEASURED: none was answered in {attacked.seconds:.0f} s"
    return (
        f"{attacked.name} ({attacked.request_bytes:,} bytes, {attacked.addresses} addresses): longest wait "
        f"{attacked.longest_frame_wait:.2f} s for a frame ({attacked.frames} answered), "
        f"{attacked.longest_photo_wait:.2f} s for a photo ({attacked.photos} answered); "
        f"answers to the attack: {answers}; memory {attacked.memory_mb} MB, log {attacked.log_bytes} bytes{faults}"
    )
