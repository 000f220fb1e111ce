from typing import Any

import pytest

from demo.benchmark import live


def test_a_number_of_visitors_that_is_named_twice_is_watched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_watch", lambda *_: [])
    servers: dict[Any, Any] = {live._OURS: None, live._PLAIN: None}
    seen = live._watch_in_turns(None, servers, [1, 4, 1], 1.0)
    assert {turn: len(rounds) for turn, rounds in seen.items()} == {
        (1, live._OURS): live._ROUNDS,
        (1, live._PLAIN): live._ROUNDS,
        (4, live._OURS): live._ROUNDS,
    }
