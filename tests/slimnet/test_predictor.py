import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from textwrap import dedent
from threading import Barrier, BrokenBarrierError
from typing import Any, NoReturn, cast

import numpy as np
import pytest
import torch
from torch.backends import cudnn

from slimnet import ATTRIBUTES, Calibration, CheckpointError, Predictor, Reliability, SlimNet
from slimnet.inference import Inference
from slimnet.paths import WEIGHTS
from slimnet.predictor import TorchNetwork
from tests.missing import package


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (4, 218, 178, 3), np.uint8)


def reference(weights: Path, crops: np.ndarray) -> np.ndarray:
    model = SlimNet.load_pretrained(weights).eval()
    with torch.no_grad():
        return torch.sigmoid(model(model.preprocessing.normalise(torch.from_numpy(crops.copy())))).numpy()


def test_probabilities_equal_the_plain_networks(weights: Path, crops: np.ndarray) -> None:
    predictor = Predictor(weights, "cpu")
    found = predictor(crops)
    assert found.dtype == np.float32
    assert found.shape == (4, 40)
    assert predictor.attributes == ATTRIBUTES
    np.testing.assert_allclose(found, reference(weights, crops), atol=1e-5)


def test_torch_computes_where_onnx_runtime_is_missing(
    weights: Path, crops: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    package("onnxruntime", "needs onnxruntime")
    assert Predictor(weights, "cpu").engine == "ONNX Runtime"
    monkeypatch.delitem(sys.modules, "slimnet.onnx.engine")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)  # importing it fails
    predictor = Predictor(weights, "cpu")
    assert predictor.engine == "torch"
    np.testing.assert_allclose(predictor(crops), reference(weights, crops), atol=1e-5)


def test_a_lack_of_memory_in_onnx_runtime_is_an_error_as_any_other(weights: Path) -> None:
    package("onnxruntime", "needs onnxruntime")
    pytest.importorskip("resource")
    # In its own process, whose memory limit is just above what it uses by then.
    program = f"""
        import resource, sys
        from pathlib import Path
        import numpy as np
        from slimnet import Predictor
        predictor = Predictor({str(weights)!r}, "cpu")
        taken = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (taken + 2**21, resource.RLIM_INFINITY))
        try:
            predictor(np.zeros((8, 218, 178, 3), np.uint8))
        except MemoryError as error:
            print(predictor.engine, "has", error)
    """
    done = subprocess.run([sys.executable, "-c", dedent(program)], capture_output=True, encoding="utf-8")
    assert done.stdout == "ONNX Runtime has not enough memory\n", done.stderr


def test_torch_computes_where_onnx_runtime_gives_other_answers(
    weights: Path, crops: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    package("onnxruntime", "needs onnxruntime")
    from slimnet.onnx import engine as runtime

    other = runtime.onnx_model(Inference(SlimNet()))
    monkeypatch.setattr(runtime, "onnx_model", lambda _inference: other)
    with pytest.warns(RuntimeWarning, match="answers differ"):
        predictor = Predictor(weights, "cpu")
    assert predictor.engine == "torch"
    np.testing.assert_allclose(predictor(crops), reference(weights, crops), atol=1e-5)


def test_many_crops_at_once_keep_their_order(weights: Path, crops: np.ndarray) -> None:
    predictor = Predictor(weights, "cpu")
    order = np.random.default_rng(1).integers(0, 4, 19)
    np.testing.assert_allclose(predictor(crops[order]), predictor(crops)[order], atol=1e-6)


def test_a_device_never_gets_more_crops_than_its_memory_is_meant_to_hold(
    weights: Path, crops: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Noting(Inference):
        def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            sizes.append(len(crops))
            return super().forward(crops)

        def maps(self, crops: torch.Tensor) -> torch.Tensor:
            sizes.append(len(crops))
            return super().maps(crops)

        def with_features(self, crops: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
            sizes.append(len(crops))
            return super().with_features(crops)

    sizes: list[int] = []
    network = TorchNetwork(Noting(SlimNet.load_pretrained(weights)), torch.device("cpu"))
    many = crops[[0, 1, 2, 3, 0, 1, 2]]
    whole = network(many), network.maps(many), *network.with_features(many)
    assert sizes == [7] * 3
    sizes.clear()
    monkeypatch.setattr("slimnet.predictor._BATCH_CROPS", 3)
    parts = network(many), network.maps(many), *network.with_features(many)
    assert sizes == [3, 3, 1] * 3
    for found, expected in zip(parts, whole, strict=True):
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, atol=1e-5)


def test_temperatures_soften_or_sharpen_but_move_no_tick(tmp_path: Path, weights: Path, crops: np.ndarray) -> None:
    model = SlimNet.load_pretrained(weights)
    temperatures = tuple(np.geomspace(0.2, 5, 40))
    model.calibration = Calibration(temperatures, (Reliability(0.8, 0.7, 0.9),) * 40)
    model.save(tmp_path / "calibrated.safetensors")
    predictor = Predictor(tmp_path / "calibrated.safetensors", "cpu")
    assert predictor.calibration == model.calibration
    plain = Predictor(weights, "cpu")
    assert plain.calibration is None
    expected, found = plain(crops), predictor(crops)
    logits = np.log(expected) - np.log1p(-expected)
    np.testing.assert_allclose(found, 1 / (1 + np.exp(-logits / temperatures)), atol=1e-4)
    np.testing.assert_array_equal(found > 0.5, expected > 0.5)


def test_memory_layouts_do_not_matter(weights: Path, crops: np.ndarray) -> None:
    predictor = Predictor(weights, "cpu")
    expected = reference(weights, crops[:, ::-1, ::-1])
    np.testing.assert_allclose(predictor(crops[:, ::-1, ::-1]), expected, atol=1e-5)
    frozen = crops.copy()
    frozen.flags.writeable = False
    np.testing.assert_allclose(predictor(frozen), predictor(crops), atol=1e-6)


def test_no_crops_give_no_rows(weights: Path) -> None:
    assert Predictor(weights, "cpu")(np.zeros((0, 218, 178, 3), np.uint8)).shape == (0, 40)


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((218, 178, 3), np.uint8), np.zeros((1, 178, 218, 3), np.uint8), np.zeros((1, 218, 178, 3)), [1, 2]],
)
def test_other_shapes_and_types_are_refused(weights: Path, wrong: Any) -> None:
    with pytest.raises(ValueError, match="uint8 RGB crops"):
        Predictor(weights, "cpu")(wrong)


def test_threads_do_not_disturb_each_other(weights: Path, crops: np.ndarray) -> None:
    predictor = Predictor(weights, "cpu")
    expected = reference(weights, crops)
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda n: predictor(crops[n % 4 : n % 4 + 1]), range(64)))
    for n, result in enumerate(results):
        np.testing.assert_allclose(result[0], expected[n % 4], atol=1e-5)


def test_the_thread_count_is_left_alone(weights: Path, crops: np.ndarray) -> None:
    before = torch.get_num_threads()
    Predictor(weights)(crops)
    assert torch.get_num_threads() == before


# Without a GPU, nothing here can break one. torch's meta device computes nothing and fails when results are read from
# it, just like a GPU that has gone.
def test_a_device_that_fails_at_once_is_left_for_the_cpu(
    weights: Path, crops: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slimnet.predictor.choose_device", lambda _requested: torch.device("meta"))
    with pytest.warns(RuntimeWarning, match="meta failed .* going on with the CPU"):
        predictor = Predictor(weights)
    assert predictor.device == torch.device("cpu")
    np.testing.assert_allclose(predictor(crops), reference(weights, crops), atol=1e-5)


def test_a_device_that_cannot_take_the_network_is_left_with_a_warning(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("slimnet.predictor.choose_device", lambda _requested: torch.device("cuda"))

    def full(_network: object, _device: object) -> NoReturn:
        raise torch.OutOfMemoryError("no memory left")

    monkeypatch.setattr("slimnet.inference.Inference.to", full)
    with pytest.warns(RuntimeWarning, match="cuda failed .no memory left.; going on with the CPU"):
        predictor = Predictor(weights)
    assert predictor.device == torch.device("cpu")


def test_threads_that_see_the_same_failure_all_go_on(weights: Path, crops: np.ndarray) -> None:
    predictor = Predictor(weights, "cpu")
    started = Barrier(2, timeout=60)

    class Failing(Inference):
        def forward(self, crops: object) -> NoReturn:  # noqa: ARG002
            started.wait()  # both threads are on the device when it fails
            raise RuntimeError("the device is gone")

    predictor._network = TorchNetwork(Failing(SlimNet()), torch.device("cpu"))
    with pytest.warns(RuntimeWarning, match="the device is gone"), ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda _n: predictor(crops), range(2)))
    for result in results:
        np.testing.assert_allclose(result, reference(weights, crops), atol=1e-5)


def test_a_device_that_fails_later_is_left_for_the_cpu(weights: Path, crops: np.ndarray) -> None:
    predictor = Predictor(weights, "cpu")
    predictor._network = TorchNetwork(Inference(SlimNet()).to("meta"), torch.device("meta"))
    with pytest.warns(RuntimeWarning, match="meta failed .* going on with the CPU"):
        found = predictor(crops)
    np.testing.assert_allclose(found, reference(weights, crops), atol=1e-5)
    assert predictor.device == torch.device("cpu")


def test_while_a_gpus_memory_is_full_the_cpu_stands_in(weights: Path, crops: np.ndarray) -> None:
    class Full(Inference):
        def forward(self, _crops: object) -> NoReturn:
            raise torch.OutOfMemoryError("CUDA out of memory")

    predictor = Predictor(weights, "cpu")
    predictor._network = gpu = TorchNetwork(Full(SlimNet()), torch.device("cpu"))
    with pytest.warns(RuntimeWarning, match="is out of memory; the CPU does this call"):
        found = predictor(crops)
    np.testing.assert_allclose(found, reference(weights, crops), atol=1e-5)
    assert predictor._network is gpu  # which is asked again the next time


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_weights_that_are_changed_or_gone_while_it_runs_change_no_answer(
    suffix: str, tmp_path: Path, crops: np.ndarray
) -> None:
    path = tmp_path / f"w{suffix}"
    SlimNet().save(path)
    predictor = Predictor(path, "cpu")
    sha256, expected = predictor.sha256, predictor(crops)
    with path.open("r+b") as file:  # in place: a file mapped into memory would show it
        file.write(bytes(path.stat().st_size))
    np.testing.assert_array_equal(predictor(crops), expected)
    os.truncate(path, 0)
    np.testing.assert_array_equal(predictor(crops), expected)
    path.unlink()
    np.testing.assert_array_equal(predictor(crops), expected)
    assert predictor.sha256 == sha256


def test_weights_that_answer_with_no_number_are_named(tmp_path: Path) -> None:
    model = SlimNet((4,), (4, 7, 2), 2)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(3e38)
    model.save(tmp_path / "bad.safetensors")
    with pytest.raises(CheckpointError, match=r"bad\.safetensors: its weights are damaged"):
        Predictor(tmp_path / "bad.safetensors", "cpu")


CONVOLUTIONS: Any = getattr(cudnn, "conv", None)
needs_setting = pytest.mark.skipif(CONVOLUTIONS is None, reason="torch before 2.9 has another setting")


class Watching(Inference):
    """A stand-in for a network: notes whether a convolution on a GPU would be computed in TF32."""

    def __init__(self) -> None:
        super().__init__(SlimNet())
        self.seen: list[str] = []
        self.inside = Barrier(1)

    def forward(self, crops: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        self.inside.wait(timeout=60)
        self.seen.append(CONVOLUTIONS.fp32_precision)
        self.inside.wait(timeout=60)
        return torch.zeros(len(crops), 40), torch.zeros(len(crops), 40)


@pytest.fixture
def on_gpu(monkeypatch: pytest.MonkeyPatch) -> Iterator[TorchNetwork]:
    """A network that believes it is on a GPU, in a process whose convolutions may use TF32."""
    network = TorchNetwork(Watching(), torch.device("cuda"))
    monkeypatch.setattr(torch.Tensor, "to", lambda tensor, _device: tensor)
    before, CONVOLUTIONS.fp32_precision = CONVOLUTIONS.fp32_precision, "tf32"
    yield network
    CONVOLUTIONS.fp32_precision = before


@needs_setting
def test_a_gpu_computes_as_exactly_as_a_cpu_and_its_setting_is_put_back(
    on_gpu: TorchNetwork, crops: np.ndarray
) -> None:
    for before in ("ieee", "tf32"):  # the process's other code may have set either
        CONVOLUTIONS.fp32_precision = before
        on_gpu(crops)
        assert CONVOLUTIONS.fp32_precision == before
    assert cast(Watching, on_gpu.module).seen == ["ieee", "ieee"]


@needs_setting
def test_the_setting_is_put_back_after_a_failure_too(on_gpu: TorchNetwork, crops: np.ndarray) -> None:
    cast(Watching, on_gpu.module).inside.abort()
    with pytest.raises(BrokenBarrierError):
        on_gpu(crops)
    assert CONVOLUTIONS.fp32_precision == "tf32"


@needs_setting
def test_threads_on_a_gpu_at_the_same_time_are_all_exact(on_gpu: TorchNetwork, crops: np.ndarray) -> None:
    watching = cast(Watching, on_gpu.module)
    watching.inside = Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _n: on_gpu(crops), range(8)))
    assert watching.seen == ["ieee"] * 8
    assert CONVOLUTIONS.fp32_precision == "tf32"


@needs_setting
def test_a_cpu_leaves_the_setting_of_gpus_alone(crops: np.ndarray) -> None:
    network = TorchNetwork(Watching(), torch.device("cpu"))
    before = CONVOLUTIONS.fp32_precision
    network(crops)
    assert cast(Watching, network.module).seen == [before]


def test_one_made_in_inference_mode_makes_fine_maps_later(crops: np.ndarray) -> None:
    with torch.inference_mode():
        predictor = Predictor(WEIGHTS, "cpu")
    assert np.isfinite(predictor.explain(crops[:1], refine=True).maps).all()


def test_explanations_share_nothing_that_can_be_changed(weights: Path, crops: np.ndarray) -> None:
    predictor = Predictor(weights, "cpu")
    with pytest.raises(ValueError, match="read-only"):
        predictor.explain(crops).bias[:] = 0
    np.testing.assert_allclose(predictor.explain(crops).probabilities, predictor(crops), atol=1e-5)


def test_fine_maps_of_many_crops_keep_their_order(weights: Path, crops: np.ndarray) -> None:
    predictor = Predictor(weights, "cpu")
    many = np.tile(crops, (17, 1, 1, 1))
    _, features = predictor.with_features(many)
    np.testing.assert_allclose(
        predictor.explain_features(features, [31, 20]).probabilities, predictor(many)[:, [31, 20]], atol=1e-5
    )


def test_torchs_defaults_do_not_matter(weights: Path, crops: np.ndarray) -> None:
    """In a process of its own, since defaults are for all threads."""
    program = """
import sys
import numpy as np, torch
from slimnet import Predictor, SlimNet, transform
torch.set_default_dtype(torch.float64)
torch.set_default_device("meta")
crops = np.load(sys.argv[2])
np.save(sys.argv[3], Predictor(sys.argv[1], "cpu")(crops))
model = SlimNet.load_pretrained(sys.argv[1])
assert {(value.device.type, value.dtype) for value in model.parameters()} == {("cpu", torch.float32)}
assert transform.normalise(torch.from_numpy(crops)).dtype == torch.float32
"""
    paths = [weights.parent / f"defaults_{name}.npy" for name in ("crops", "found")]
    np.save(paths[0], crops)
    subprocess.run([sys.executable, "-c", program, weights, *paths], check=True)
    np.testing.assert_allclose(np.load(paths[1]), reference(weights, crops), atol=1e-5)
