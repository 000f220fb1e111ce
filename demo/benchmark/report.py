"""The figures of live mode: turns the frames shown to visitors into a table."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

SERVER_STAGES = ("decode", "detect", "align", "infer")


@dataclass(frozen=True)
class Frame:
    """An analysed frame that a visitor was shown.

    Attributes:
        at: when it was shown, in seconds since 1970.
        latency: from the camera to the page, in milliseconds; None if unknown.
        width: of the picture sent to the server, in pixels; None if none was sent.
        stages: milliseconds by stage, for the stages that the page reports.
    """

    at: float
    latency: float | None
    width: int | None
    stages: dict[str, float]


@dataclass(frozen=True)
class Spread:
    """Median and 95th percentile of times.

    Attributes:
        median: the median, in milliseconds.
        p95: the 95th percentile, in milliseconds.
    """

    median: float
    p95: float


@dataclass(frozen=True)
class Crowd:
    """What visitors of one page were shown at the same time.

    Attributes:
        page: name of the page.
        rates: analysed frames a second, one for each visitor.
        latency: from the camera to the page, over the frames of all visitors; None if unknown for all.
        width: median width of the pictures sent, in pixels; None if none was sent.
        longest_gap: the longest time from one frame of a visitor to the next, in milliseconds; None if nobody was shown
            two.
        stages: where the time of a frame went, in the page's order; "server" is the sum of the analysis's stages, even
            if the browser does it.
        first: from the click that starts the camera to the first ticks; None if unknown.
    """

    page: str
    rates: tuple[float, ...]
    latency: Spread | None
    width: int | None
    longest_gap: float | None
    stages: dict[str, Spread]
    first: Spread | None = None


@dataclass(frozen=True)
class Departure:
    """Total frame rate of the visitors who stayed when another one left.

    Attributes:
        stayed: number of visitors who stayed.
        before: their rate in the three seconds before, in frames a second.
        after: their rate in each of the three seconds after, in frames a second.
    """

    stayed: int
    before: float
    after: tuple[float, ...]


@dataclass(frozen=True)
class Report:
    """A whole run.

    Attributes:
        machine: what it ran on, by heading.
        seconds: how long each page was measured with each number of visitors.
        crowds: all that were measured; the first is of our page.
        departure: what happened when a visitor left; None if there was never more than one at a time.
    """

    machine: dict[str, str]
    seconds: float
    crowds: tuple[Crowd, ...]
    departure: Departure | None

    def to_json(self) -> str:
        """Format all figures as JSON.

        Returns:
            An indented JSON object that ends with a newline.
        """
        return json.dumps(asdict(self), indent=2) + "\n"


def summarise(
    page: str, rounds: Sequence[Sequence[Sequence[Frame]]], seconds: float, first: Sequence[float] = ()
) -> Crowd:
    """Compute the figures of one page with one number of visitors.

    Args:
        page: name of the page.
        rounds: for each round and each visitor, the frames in the order shown.
        seconds: how long all rounds together took.
        first: milliseconds from the click that starts the camera to the first ticks, one for each visit.

    Returns:
        The figures over all rounds.
    """
    visitors = list(zip(*rounds, strict=True))
    frames = [frame for visitor in visitors for watched in visitor for frame in watched]
    times_seen = [[frame.at for frame in watched] for visitor in visitors for watched in visitor]
    gaps = [1000 * float(np.diff(times).max()) for times in times_seen if len(times) > 1]
    latencies = [frame.latency for frame in frames if frame.latency is not None]
    widths = [frame.width for frame in frames if frame.width is not None]
    times: dict[str, list[float]] = {}
    for frame in frames:
        work = [frame.stages[stage] for stage in SERVER_STAGES if stage in frame.stages]
        for stage, milliseconds in {**frame.stages, **({"server": sum(work)} if work else {})}.items():
            times.setdefault(stage, []).append(milliseconds)
    return Crowd(
        page=page,
        rates=tuple(sum(map(len, visitor)) / seconds for visitor in visitors),
        latency=spread(latencies),
        width=int(np.median(widths)) if widths else None,
        longest_gap=max(gaps, default=None),
        stages={stage: found for stage, values in times.items() if (found := spread(values))},
        first=spread(list(first)),
    )


def summarise_departure(visitors: Sequence[Sequence[Frame]], left: float) -> Departure:
    """Compute the rates in the three seconds before a visitor left, and in each of the three after.

    Args:
        visitors: the frames of each visitor who stayed.
        left: when the other visitor left, in seconds since 1970.

    Returns:
        The total rates of those who stayed.
    """
    times = np.array([frame.at - left for watched in visitors for frame in watched])
    after = tuple(float(np.sum((times >= second) & (times < second + 1))) for second in range(3))
    return Departure(len(visitors), float(np.sum((times >= -3) & (times < 0))) / 3, after)


def spread(values: list[float]) -> Spread | None:
    """Compute the median and the 95th percentile.

    Args:
        values: times in milliseconds.

    Returns:
        None if there is no value.
    """
    if not values:
        return None
    median, p95 = np.percentile(values, (50, 95))
    return Spread(float(median), float(p95))


def table(report: Report) -> str:
    """Format a report as a text table.

    Args:
        report: what was measured; its first crowd must be of our page.

    Returns:
        The machine, the figures of each crowd, the time of each stage, and the departure.
    """
    lines = [
        ", ".join(f"{name} {value}" for name, value in report.machine.items()),
        "",
        _line("visitors", "page", "px wide", "frames/s each", "p50 ms", "p95 ms", "longest gap ms", "first ticks ms"),
    ]
    ours = [crowd for crowd in report.crowds if crowd.page == report.crowds[0].page]
    for crowd in ours:
        lines.append(_crowd_line(crowd))
        for other in report.crowds:
            if other.page != crowd.page and len(other.rates) == len(crowd.rates):
                lines += [_crowd_line(other), _ratio_line(crowd, other)]
    lines += ["", *_stage_lines([crowd for crowd in report.crowds if crowd.stages])]
    if report.departure:
        after = ", ".join(f"{rate:.0f}" for rate in report.departure.after)
        lines += [
            "",
            f"When one of {report.departure.stayed + 1} leaves, the others together go from "
            f"{report.departure.before:.1f} frames a second to {after} in the seconds after that.",
        ]
    return "\n".join(lines)


def _crowd_line(crowd: Crowd) -> str:
    """Format a crowd as a row of the table."""
    least, most = min(crowd.rates), max(crowd.rates)
    rates = f"{least:.1f}" if len(crowd.rates) == 1 else f"{least:.1f} … {most:.1f}"
    first = crowd.first.median if crowd.first else None
    cells = ["?" if value is None else f"{value:.0f}" for value in (*_times(crowd), first)]
    return _line(str(len(crowd.rates)), crowd.page, str(crowd.width or "?"), rates, *cells)


def _ratio_line(ours: Crowd, other: Crowd) -> str:
    """Format our figures as multiples of another page's."""
    pairs = zip((sum(ours.rates), *_times(ours)), (sum(other.rates), *_times(other)), strict=True)
    return _line("", "ratio", "", *(f"x {a / b:.2f}" if a is not None and b else "?" for a, b in pairs))


def _line(visitors: str, page: str, width: str, rates: str, median: str, p95: str, gap: str, first: str = "") -> str:
    """Align the cells of a row."""
    return f"{visitors:>8}  {page:<11} {width:>7} {rates:>14} {median:>8} {p95:>8} {gap:>15} {first:>15}".rstrip()


def _times(crowd: Crowd) -> tuple[float | None, float | None, float | None]:
    """Median latency, its 95th percentile and the longest gap, in milliseconds."""
    median, p95 = (crowd.latency.median, crowd.latency.p95) if crowd.latency else (None, None)
    return median, p95, crowd.longest_gap


def _stage_lines(crowds: Sequence[Crowd]) -> list[str]:
    """Format the table of stages, a column for each crowd."""
    stages = list(dict.fromkeys(stage for crowd in crowds for stage in crowd.stages))
    heads = "".join(f"{f'{crowd.page}, {len(crowd.rates)}: p50, p95':>28}" for crowd in crowds)
    lines = [f"{'ms by stage, at once':<24}{heads}"]
    for stage in stages:
        cells = (crowd.stages.get(stage) for crowd in crowds)
        lines.append(f"{stage:<24}" + "".join(f"{f'{c.median:.1f}, {c.p95:.1f}' if c else '?':>28}" for c in cells))
    return lines
