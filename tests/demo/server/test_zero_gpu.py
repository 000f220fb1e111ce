import signal
from pathlib import Path
from typing import Any

import pytest
from gradio_client import Client, handle_file

from demo.benchmark.server import PageServer
from demo.paths import WEIGHTS
from demo.pictures.decode import open_picture
from demo.server.zero_gpu import pipelines
from tests.fakes.together import glance_together
from tests.fakes.zero_gpu import lender
from tests.missing import package
from tests.paths import PORTRAIT

ZERO_GPU = ("-m", "tests.fakes.zero_gpu", "--device", "cpu")


def probabilities(client: Client) -> list[float]:
    answer = client.predict(picture=handle_file(PORTRAIT), api_name="/analyse")
    [face] = answer["faces"]
    return list(face["probabilities"].values())


def expected() -> Any:
    [face] = pipelines(WEIGHTS, "cpu")[0].analyse_photo(open_picture(PORTRAIT)).faces
    return pytest.approx(face.probabilities.tolist(), abs=1e-4)


def test_elsewhere_frames_and_photos_share_one_pipeline_in_which_two_threads_find_faces(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    live, photos = pipelines(WEIGHTS, "cpu")
    assert live is photos
    assert glance_together(monkeypatch, live.finder.glance, open_picture(PORTRAIT)) == [1, 1]


def test_on_zero_gpu_photos_borrow_a_gpu_where_one_is_free(tmp_path: Path) -> None:
    """With the real package `spaces`, which believes that it is in such a Space."""
    package("spaces", "needs the package spaces (tests/requirements.txt)")
    with lender() as api, PageServer(ZERO_GPU, tmp_path / "page", environment=api.environment(tmp_path)) as page:
        assert api.asked == ["/startup-report"]  # without it a Space is taken for one that failed to start
        client, right = Client(page.url, verbose=False), expected()
        assert probabilities(client) == right
        assert probabilities(client) == right
        assert api.asked[1:] == ["/schedule", "/allow", "/release", "/schedule", "/release"]  # one process for both
        api.gpu_free = False
        assert probabilities(client) == right  # on the CPU
        assert api.asked[6:] == ["/schedule"]
        assert page.process is not None
        page.process.send_signal(signal.SIGTERM)
        assert page.process.wait(60) == 0  # so has the process with the GPU, which is a fork
