import json

import pytest

from demo.benchmark.report import Crowd, Departure, Frame, Report, Spread, summarise, summarise_departure, table


def frames(*times: float, latency: float | None = 40, **stages: float) -> list[Frame]:
    return [Frame(at, latency, 480, stages) for at in times]


def test_rates_are_each_visitors_own_over_all_rounds() -> None:
    crowd = summarise("page", [[frames(0, 1, 2), frames(0)], [frames(9), frames(9)]], seconds=2)
    assert crowd.rates == (2.0, 1.0)


def test_latency_is_over_the_frames_of_all_visitors_that_have_one() -> None:
    fast, slow, unknown = frames(0, 1, latency=20), frames(0, latency=100), frames(1, latency=None)
    assert summarise("page", [[fast, slow + unknown]], 1).latency == Spread(20, 92)
    assert summarise("page", [[unknown]], 1).latency is None


def test_the_longest_gap_is_that_of_the_visitor_who_waited_longest_within_a_round() -> None:
    assert summarise("page", [[frames(0, 1), frames(0, 0.5)], [frames(50, 51.5), frames(60)]], 9).longest_gap == 1500
    assert summarise("page", [[frames(0)]], 1).longest_gap is None


def test_where_nothing_is_sent_no_width_is_known() -> None:
    assert summarise("page", [[[Frame(0, 40, None, {})]]], 1).width is None


def test_the_first_ticks_are_those_of_every_visit() -> None:
    assert summarise("page", [[frames(0)]], 1, [600, 700]).first == Spread(650, 695)
    assert summarise("page", [[frames(0)]], 1).first is None


def test_stages_keep_their_order_and_the_servers_are_added_up() -> None:
    watched = frames(0, 1, network=5, decode=1, detect=9, align=1, infer=6, paint=2)
    crowd = summarise("page", [[watched + frames(2, paint=2)]], 1)
    assert list(crowd.stages) == ["network", "decode", "detect", "align", "infer", "paint", "server"]
    assert crowd.stages["server"] == Spread(17, 17)


def test_departure_counts_the_frames_of_all_who_stayed_by_the_second() -> None:
    first = frames(7.5, 8.5, 9.5, 10.1, 10.9, 11.5, 12.5)
    second = frames(6.9, 9.9, 10.5, 11.0, 12.0, 12.9, 13.0)
    assert summarise_departure([first, second], left=10) == Departure(2, 4 / 3, (3, 2, 3))


@pytest.fixture
def report() -> Report:
    ours = Crowd("this page", (24.0, 30.0), Spread(40, 80), 480, 100, {"encode": Spread(2, 3)}, Spread(600, 700))
    plain = Crowd("gr.Image", (9.0, 9.0), Spread(80, 160), 640, 400, {})
    return Report({"cores": "2"}, 10, (ours, plain), Departure(1, 54, (50, 28, 30)))


def test_the_table_shows_all_pages_and_their_ratios(report: Report) -> None:
    device = Crowd("this device", (12.0, 15.0), Spread(80, 80), 480, 100, {"encode": Spread(4, 5)}, Spread(900, 950))
    report = Report(report.machine, 10, (report.crowds[0], device, *report.crowds[1:]), report.departure)
    lines = [line.split() for line in table(report).splitlines()]
    assert ["2", "this", "page", "480", "24.0", "…", "30.0", "40", "80", "100", "600"] in lines
    assert ["2", "this", "device", "480", "12.0", "…", "15.0", "80", "80", "100", "900"] in lines
    assert ["ratio", "x", "2.00", "x", "0.50", "x", "1.00", "x", "1.00"] in lines
    assert ["2", "gr.Image", "640", "9.0", "…", "9.0", "80", "160", "400", "?"] in lines
    assert ["ratio", "x", "3.00", "x", "0.50", "x", "0.50", "x", "0.25"] in lines
    assert ["encode", "2.0,", "3.0", "4.0,", "5.0"] in lines
    assert "from 54.0 frames a second to 50, 28, 30" in table(report)


def test_what_is_not_known_is_neither_printed_as_a_number_nor_written(report: Report) -> None:
    nothing = Crowd("gr.Image", (0.0, 0.0), None, None, None, {})
    report = Report(report.machine, 10, (report.crowds[0], nothing), None)
    assert ["2", "gr.Image", "?", "0.0", "…", "0.0", "?", "?", "?", "?"] in [
        line.split() for line in table(report).splitlines()
    ]
    assert json.loads(report.to_json(), parse_constant=pytest.fail)["crowds"][1]["latency"] is None
