import csv
import re
from pathlib import Path

import pytest
from PIL import Image

from demo.align import align
from demo.benchmark.__main__ import main
from demo.benchmark.alignment import VARIANTS
from demo.faces import FaceFinder
from demo.pictures import open_picture
from slimnet import ATTRIBUTES, SlimNet

PORTRAIT = Path(__file__).parent.parent / "assets" / "examples" / "eileen_collins.jpg"


def test_alignment_finds_the_face_however_it_is_spoilt(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    frame = open_picture(PORTRAIT)
    (tmp_path / "img_align_celeba").mkdir()
    crop = Image.fromarray(align(frame, FaceFinder().find(frame, thorough=True)[0]))
    with (tmp_path / "list_eval_partition.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image_id", "partition"), ("a.jpg", 0), ("b.jpg", 1), ("c.jpg", 1)])
    with (tmp_path / "list_attr_celeba.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("image_id", *ATTRIBUTES), *[(name, *[1, -1] * 20) for name in ("b.jpg", "c.jpg")]])
    for name in ("b.jpg", "c.jpg"):
        crop.save(tmp_path / "img_align_celeba" / name)
    SlimNet().save(tmp_path / "untrained.safetensors")
    weights = str(tmp_path / "untrained.safetensors")
    command = ["alignment", "--data_dir", str(tmp_path), "--weights", weights, "--images", "2", "--device", "cpu"]
    assert main(command) == 0
    printed = capsys.readouterr().out
    for variant in VARIANTS:
        assert re.search(rf"^{re.escape(variant)} +2/2 +\d+\.\d\d +-?\d+\.\d\d$", printed, re.MULTILINE), variant
