import signal
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file

from demo.hardware import pipelines
from demo.pipeline import WEIGHTS
from tests.served import PORTRAIT, Page, served
from tests.zero_gpu import Lender, lender


def zero_gpu_page(api: Lender, folder: Path) -> Any:
    """The page as a Space with ZeroGPU serves it, by the real package `spaces`."""
    pytest.importorskip("spaces", reason="needs the package spaces (tests/requirements.txt)")
    return served(folder, program=("-m", "tests.zero_gpu"), environment=api.environment(folder))


def probabilities(page: Page) -> list[float]:
    answer = Client(page.url, verbose=False).predict(picture=handle_file(PORTRAIT), api_name="/analyse")
    [face] = answer["faces"]
    return list(face["probabilities"].values())


def expected() -> Any:
    from demo.pictures import open_picture

    [face] = pipelines(WEIGHTS, "cpu")[0].analyse(open_picture(PORTRAIT), thorough=True).faces
    return pytest.approx(face.probabilities.tolist(), abs=1e-4)


def test_elsewhere_frames_and_photos_share_one_pipeline() -> None:
    live, photos = pipelines(WEIGHTS, "cpu")
    assert live is photos


def test_on_zero_gpu_photos_borrow_a_gpu_where_one_is_free(tmp_path: Path) -> None:
    with lender() as api, zero_gpu_page(api, tmp_path) as page:
        assert api.asked == ["/startup-report"]  # without it a Space is taken for one that failed to start
        assert probabilities(page) == probabilities(page) == expected()
        assert api.asked[1:] == ["/schedule", "/allow", "/release", "/schedule", "/release"]  # one process for both
        api.gpu_free = False
        assert probabilities(page) == expected()  # by the CPU
        assert api.asked[6:] == ["/schedule"]
        page.process.send_signal(signal.SIGTERM)
        assert page.process.wait() == 0  # and so has the process with the GPU, which is a fork
