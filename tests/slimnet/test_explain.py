import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from slimnet import Calibration, Predictor, Reliability, SlimNet, contributions
from slimnet.explain import cells
from tests.fakes import original
from tests.missing import package
from tests.paths import ASSETS

SHAPES = [
    ((16, 32, 48, 64), 40, (218, 178)),
    ((8, 16), 5, (90, 61)),
    ((4,), 2, (40, 30)),
    ((4, 4, 8, 8, 8), 3, (300, 280)),
]


def random_network(counts: tuple[int, ...], classes: int) -> SlimNet:
    model = SlimNet(counts, (12, 7, 2), classes)
    model.load_state_dict(original.state_dict(12, counts, classes))
    return model.eval()


def noise(height: int, width: int, number: int = 2) -> Tensor:
    return torch.randn(number, 3, height, width, generator=torch.Generator().manual_seed(0))


@pytest.fixture(scope="module")
def shipped() -> SlimNet:
    return SlimNet.load_pretrained(ASSETS / "slimnet_celeba.safetensors").eval()


@pytest.mark.parametrize("refine", [False, True])
@pytest.mark.parametrize(("counts", "classes", "size"), SHAPES)
def test_maps_and_bias_are_the_logits(
    counts: tuple[int, ...], classes: int, size: tuple[int, int], refine: bool
) -> None:
    model, x = random_network(counts, classes), noise(*size)
    maps, bias = contributions(model, x, refine)
    assert maps.dtype == bias.dtype == torch.float32
    assert maps.shape[:2] == (2, classes)
    with torch.no_grad():
        expected = model(x)
    assert expected.std() > 0.01
    torch.testing.assert_close(maps.sum((2, 3)) + bias, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("refine", [False, True])
def test_maps_of_the_shipped_weights_are_their_logits(shipped: SlimNet, refine: bool) -> None:
    maps, bias = contributions(shipped, noise(218, 178), refine=refine)
    assert maps.shape == ((2, 40, 12, 9) if refine else (2, 40, 5, 4))
    with torch.no_grad():
        torch.testing.assert_close(maps.sum((2, 3)) + bias, shipped(noise(218, 178)), atol=1e-4, rtol=0)


def test_a_coarse_map_is_gradient_times_activation_on_the_last_map(shipped: SlimNet) -> None:
    x = noise(218, 178, 1)
    last_map = shipped.features(x, 4).detach().requires_grad_()
    logits = shipped.fc(shipped.global_pool(shipped.pool(last_map)).flatten(1))[0]
    found = contributions(shipped, x).maps[0]
    for number in (0, 20, 39):
        (gradient,) = torch.autograd.grad(logits[number], last_map, retain_graph=True)
        torch.testing.assert_close(found[number], (gradient * last_map).sum(1)[0].detach(), atol=1e-5, rtol=0)


def test_a_fine_map_divides_what_is_for_and_what_is_against(shipped: SlimNet) -> None:
    coarse, fine = (contributions(shipped, noise(218, 178), refine).maps for refine in (False, True))
    for sign in (1, -1):
        sums = [(sign * maps).clamp(min=0).sum((2, 3)) for maps in (coarse, fine)]
        assert sums[0].max() > 0.1
        torch.testing.assert_close(sums[1], sums[0], atol=1e-4, rtol=0)


def test_a_crop_that_shows_nothing_has_no_place_that_stands_out(shipped: SlimNet) -> None:
    maps = contributions(shipped, torch.zeros(1, 3, 218, 178), refine=True).maps[0]
    torch.testing.assert_close(maps, maps.mean((1, 2), keepdim=True).expand_as(maps), atol=1e-4, rtol=0)


def test_a_fine_map_finds_what_was_changed(shipped: SlimNet) -> None:
    x = torch.zeros(1, 3, 218, 178)
    x[:, :, 150:170, 40:60] = noise(20, 20, 1)
    maps = contributions(shipped, x, refine=True).maps[0].abs().sum(0)
    row, column = divmod(int(maps.argmax()), maps.shape[1])
    where = cells(shipped, refine=True)
    assert where.rows[row] < 185
    assert where.rows[row + 1] > 135
    assert where.columns[column] < 75
    assert where.columns[column + 1] > 25


@pytest.mark.parametrize("refine", [False, True])
def test_gradients_are_neither_needed_nor_left_behind(shipped: SlimNet, refine: bool) -> None:
    x = noise(218, 178).requires_grad_()
    expected = contributions(shipped, x, refine)
    assert not expected.maps.requires_grad
    assert x.grad is None
    assert all(parameter.grad is None for parameter in shipped.parameters())
    with torch.inference_mode():
        torch.testing.assert_close(contributions(shipped, x.clone(), refine), expected)


def test_a_network_in_training_mode_is_refused() -> None:
    with pytest.raises(ValueError, match=r"model\.eval\(\)"):
        contributions(SlimNet(), torch.zeros(1, 3, 218, 178))


@pytest.mark.parametrize("shape", [(1, 3, 130, 178), (3, 218, 178), (1, 1, 218, 178)])
def test_other_shapes_are_refused(shipped: SlimNet, shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="at least 131"):
        contributions(shipped, torch.zeros(shape))


@pytest.mark.parametrize("refine", [False, True])
@pytest.mark.parametrize(("counts", "classes", "size"), SHAPES)
def test_cells_cover_the_crop(counts: tuple[int, ...], classes: int, size: tuple[int, int], refine: bool) -> None:
    model = random_network(counts, classes)
    maps = contributions(model, noise(218, 178), refine).maps if min(size) < 218 else None
    where = cells(model, refine)
    assert (where.rows[0], where.rows[-1], where.columns[0], where.columns[-1]) == (0, 218, 0, 178)
    assert all(low < high for edges in (where.rows, where.columns) for low, high in pairwise(edges))
    if maps is not None:
        assert maps.shape[2:] == (len(where.rows) - 1, len(where.columns) - 1)


def test_cells_lie_where_convolutions_and_poolings_are_centred(shipped: SlimNet) -> None:
    # The edges lie between the cells' centres, which are the centres of pixels 33 + 32i and 17 + 16i.
    assert cells(shipped).columns == (0, 49.5, 81.5, 113.5, 178)
    assert cells(shipped, refine=True).columns == (0, *(25.5 + 16 * n for n in range(8)), 178)


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = random_network((16, 32, 48, 64), 40)
    model.calibration = Calibration(tuple(np.geomspace(0.5, 2, 40)), (Reliability(0.8, 0.7, 0.9),) * 40)
    path = tmp_path_factory.mktemp("weights") / "calibrated.safetensors"
    model.save(path)
    return path


@pytest.fixture(scope="module")
def crops() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (2, 218, 178, 3), np.uint8)


@pytest.mark.parametrize("refine", [False, True])
def test_an_explanation_adds_up_to_the_calibrated_probabilities(
    calibrated: Path, crops: np.ndarray, refine: bool, engine: str
) -> None:
    predictor = Predictor(calibrated, "cpu")
    assert predictor.engine == engine
    found = predictor.explain(crops, refine)
    assert found.maps.dtype == found.bias.dtype == np.float32
    assert found.maps.shape[2:] == (len(found.cells.rows) - 1, len(found.cells.columns) - 1)
    np.testing.assert_allclose(found.probabilities, predictor(crops), atol=1e-5)
    model = SlimNet.load_pretrained(calibrated).eval()
    expected = contributions(model, model.preprocessing.normalise(torch.from_numpy(crops.copy())), refine).maps.numpy()
    temperatures = np.geomspace(0.5, 2, 40)[:, None, None]
    np.testing.assert_allclose(found.maps, expected / temperatures, atol=1e-4)


def test_features_explain_single_attributes(calibrated: Path, crops: np.ndarray, engine: str) -> None:
    predictor = Predictor(calibrated, "cpu")
    assert predictor.engine == engine
    probabilities, features = predictor.with_features(crops)
    np.testing.assert_allclose(probabilities, predictor(crops), atol=1e-6)
    some, every = predictor.explain_features(features, [31, 2]), predictor.explain(crops, refine=True)
    np.testing.assert_allclose(some.maps, every.maps[:, [31, 2]], atol=1e-5)
    np.testing.assert_allclose(some.probabilities, probabilities[:, [31, 2]], atol=1e-5)
    assert some.cells == every.cells


@pytest.fixture(params=["ONNX Runtime", "torch"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "torch":
        monkeypatch.setitem(sys.modules, "slimnet.onnx.engine", None)  # importing it fails
    else:
        package("onnxruntime", "needs onnxruntime")
    return request.param


@pytest.mark.parametrize("refine", [False, True])
def test_no_crops_have_no_maps(calibrated: Path, refine: bool) -> None:
    found = Predictor(calibrated, "cpu").explain(np.zeros((0, 218, 178, 3), np.uint8), refine)
    assert found.maps.shape == ((0, 40, 12, 9) if refine else (0, 40, 5, 4))
    assert found.probabilities.shape == (0, 40)


def test_crops_of_another_form_are_refused(calibrated: Path) -> None:
    with pytest.raises(ValueError, match="uint8 RGB crops"):
        Predictor(calibrated, "cpu").explain(np.zeros((1, 178, 218, 3), np.uint8))
