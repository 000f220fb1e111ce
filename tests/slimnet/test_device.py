import pytest
import torch

from slimnet import choose_device


@pytest.mark.parametrize(
    ("cuda", "mps", "expected"),
    [(True, True, "cuda"), (True, False, "cuda"), (False, True, "mps"), (False, False, "cpu")],
)
@pytest.mark.parametrize("requested", [None, "auto"])
def test_the_best_device_is_chosen(
    monkeypatch: pytest.MonkeyPatch, cuda: bool, mps: bool, expected: str, requested: str | None
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)
    assert choose_device(requested).type == expected


@pytest.mark.parametrize("requested", ["cuda", "cuda:3", "mps"])
def test_an_absent_device_gives_the_cpu_with_a_warning(monkeypatch: pytest.MonkeyPatch, requested: str) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.warns(RuntimeWarning, match=f"{requested} is not available"):
        assert choose_device(requested).type == "cpu"


def test_a_name_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match="abacus"):
        choose_device("abacus")
