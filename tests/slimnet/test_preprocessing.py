import re
import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from slimnet import Preprocessing, transform
from slimnet.colour.icc_profile import adobe_rgb
from tests.paths import ROOT


def test_values_are_scaled_to_minus_one_to_one_in_rgb_order() -> None:
    picture = np.zeros((218, 178, 3), np.uint8)
    picture[..., 0], picture[..., 1] = 255, 51
    x = transform(Image.fromarray(picture))
    assert x.shape == (3, 218, 178)
    assert x.dtype == torch.float32
    torch.testing.assert_close(x[:, 0, 0], torch.tensor([1.0, -0.6, -1.0]))


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P", "1", "CMYK"])
def test_any_mode_gives_three_channels(mode: str) -> None:
    x = transform(Image.new("RGB", (178, 218), "white").convert(mode))
    torch.testing.assert_close(x, torch.ones(3, 218, 178))


def test_grey_pictures_of_16_bits_are_scaled(tmp_path: Path) -> None:
    Image.fromarray(np.full((218, 178), 51 * 257, np.uint16)).save(tmp_path / "deep.png")
    torch.testing.assert_close(transform(Image.open(tmp_path / "deep.png")), torch.full((3, 218, 178), -0.6))


def test_colours_of_another_profile_become_those_of_srgb(tmp_path: Path) -> None:
    crop = Image.new("RGB", (178, 218), (200, 100, 50))
    crop.save(tmp_path / "wide.png", icc_profile=adobe_rgb())
    x = transform(Image.open(tmp_path / "wide.png"))
    # From the definitions of the two spaces.
    expected = torch.tensor([227.1, 100.1, 42.4]) / 127.5 - 1
    torch.testing.assert_close(x[:, 0, 0], expected, atol=0.01, rtol=0)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P"])
def test_transparent_parts_become_white(mode: str) -> None:
    picture = Image.new("RGBA", (178, 218), (0, 0, 0, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 178, 100))
    # Pillow's convert would drop the transparency of a palette.
    x = transform(picture.quantize(4) if mode == "P" else picture.convert(mode))
    torch.testing.assert_close(x[:, :100], torch.ones(3, 100, 178))
    torch.testing.assert_close(x[:, 100:], -torch.ones(3, 118, 178))


@pytest.mark.parametrize("mode", ["I", "F"])
def test_modes_without_a_white_are_refused(mode: str) -> None:
    with pytest.raises(ValueError, match=f"mode {mode} .* scale its values to 0..255"):
        transform(Image.new("L", (178, 218), 255).convert(mode))


def test_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="178 wide and 218 high"):
        transform(Image.new("RGB", (218, 178)))


def test_lists_are_as_good_as_tuples() -> None:
    own = Preprocessing(218, 178, [0.5] * 3, [0.5] * 3)  # type: ignore[arg-type]
    assert own == transform
    assert torch.equal(own(Image.new("RGB", (178, 218), "red")), transform(Image.new("RGB", (178, 218), "red")))


def test_batches_of_another_type_are_refused_and_left_alone() -> None:
    crops = torch.ones(1, 218, 178, 3)
    with pytest.raises(ValueError, match=r"expected uint8 crops, from 0 to 255, got torch\.float32"):
        transform.normalise(crops)
    assert torch.equal(crops, torch.ones(1, 218, 178, 3))


def test_batches_are_normalised_like_single_pictures() -> None:
    crops = np.random.default_rng(0).integers(0, 256, (2, 218, 178, 3), np.uint8)
    x = transform.normalise(torch.from_numpy(crops))
    assert x.is_contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(x, torch.stack([transform(Image.fromarray(crop)) for crop in crops]))


def test_every_value_is_normalised_on_the_scale_of_pictures() -> None:
    """The same bit by bit, since weights are trained for exactly these numbers."""
    own = Preprocessing(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
    crops = torch.arange(256, dtype=torch.uint8).repeat(3, 1).T.reshape(1, 16, 16, 3)
    expected = (crops.float() - torch.tensor(own.mean) * 255) / (torch.tensor(own.std) * 255)
    assert torch.equal(own.normalise(crops), expected.permute(0, 3, 1, 2))


@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA", "P"])
def test_the_readmes_sample_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], mode: str
) -> None:
    block = re.search(r"```python\n(.*?)```", (ROOT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    assert block
    sample = block[1]
    assert "SlimNet.load_pretrained" in sample
    picture = tmp_path / "crop.png"
    Image.new("RGB", (178, 218), "grey").convert(mode).save(picture)
    script = tmp_path / "sample.py"
    script.write_text(sample.replace("PATH_TO_IMAGE", repr(str(picture))))
    monkeypatch.chdir(ROOT)
    runpy.run_path(str(script))
    assert capsys.readouterr().out.startswith("[")
