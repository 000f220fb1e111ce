from pathlib import Path

import numpy as np
import pytest

from demo.benchmark.__main__ import main
from demo.benchmark.validation import ValidationError, validation_files, validation_pictures
from slimnet import SlimNet
from tests.fakes.celeba import ATTRIBUTES, with_gaps, write
from training.data.celeba import read_celeba


def with_cells(folder: Path, *cells: str) -> Path:
    """Give every picture these labels."""
    table = folder / "list_attr_celeba.csv"
    head, *rows = table.read_text().splitlines()
    table.write_text("\n".join([head, *(",".join([row.split(",")[0], *cells]) for row in rows)]) + "\n")
    return folder


def test_labels_are_known_or_not_as_in_training(tmp_path: Path) -> None:
    split = read_celeba(with_gaps(write(tmp_path), share=0.75))["valid"]
    rows = {path.name: row for row, path in enumerate(split.paths)}
    order = [rows[path.name] for path in validation_files(tmp_path, 100)]
    order = [row for row in order if split.known[row].any()]
    found = validation_pictures(tmp_path, 100, ATTRIBUTES)
    assert not found.known.all()
    assert len(found.crops) == len(order) < len(split)
    assert (found.known == split.known[order]).all()
    assert (found.labels == split.labels[order]).all()


def test_only_known_labels_are_right_or_wrong(tmp_path: Path) -> None:
    found = validation_pictures(with_cells(write(tmp_path), "1", "-1", ""), 1, ATTRIBUTES)
    assert found.known.tolist() == [[True, True, False]]
    assert found.right(0, np.array([0.9, 0.9, 0.9])) == 0.5
    assert found.right(0, np.array([0.9, 0.1, 0.1])) == 1
    zeros = validation_pictures(with_cells(tmp_path, "1", "0", "0"), 1, ATTRIBUTES)  # 0 means absent if there is no -1
    assert zeros.known.all()


@pytest.mark.parametrize(
    ("layout", "attributes", "message"),
    [
        ("txt", ATTRIBUTES, "has no list_eval_partition.csv: CelebA is read in Kaggle's CSV layout"),
        ("csv", ("First", "Smoking"), "has no column Smoking; it has image_id, First, Second, Third"),
    ],
)
def test_another_layout_and_a_missing_attribute_are_named(
    layout: str, attributes: tuple[str, ...], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, layout)
    weights = tmp_path / "untrained.safetensors"
    SlimNet(num_classes=len(attributes), attributes=attributes).save(weights)
    for command in ("alignment", "following", "conditions"):
        assert main([command, "--data_dir", str(tmp_path), "--weights", str(weights), "--device", "cpu"]) == 2
        assert message in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, b"no picture"])
def test_a_validation_picture_that_cannot_be_opened_is_named(content: bytes | None, tmp_path: Path) -> None:
    write(tmp_path)
    file = validation_files(tmp_path, 1)[0]
    file.unlink()
    if content:
        file.write_bytes(content)
    with pytest.raises(ValidationError, match=f"^{file}: "):
        validation_pictures(tmp_path, 1, ATTRIBUTES)
