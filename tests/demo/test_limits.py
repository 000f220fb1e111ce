from demo import limits


def test_a_decoder_that_does_not_start_does_not_seem_to_hang() -> None:
    assert limits.DECODER_START_SECONDS + limits.DECODER_END_SECONDS < limits.WORK_HANG_SECONDS


def test_some_of_the_visitors_who_are_remembered_are_always_silent() -> None:
    assert limits.MAX_WAITING_FRAMES < limits.MAX_VISITORS
