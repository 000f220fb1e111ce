import collections
import errno
import json
import math
import os
import pickle
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from slimnet import Calibration, CheckpointError, Preprocessing, Reliability, SlimNet
from slimnet.files import checkpoint
from tests.fakes import original
from tests.processes import largest_file


@pytest.fixture(scope="module")
def crop() -> Tensor:
    return torch.rand(1, 3, 218, 178, generator=torch.Generator().manual_seed(1)) * 2 - 1


def logits(model: SlimNet, x: Tensor) -> Tensor:
    with torch.no_grad():
        return model.eval()(x)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before 1.6"])
@pytest.mark.parametrize("multiplier", [1, 2])
def test_original_files_give_the_originals_logits(tmp_path: Path, crop: Tensor, zipped: bool, multiplier: int) -> None:
    state = original.state_dict(20, (8, 8, 8, 8), 40, multiplier)
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.ones(2))])
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 3])
    content = original.checkpoint(
        state,
        stored_multiplier=7,  # the original never uses it: the shapes tell the truth
        optimizer_state_dict=optimizer.state_dict(),
        scheduler_state_dict=scheduler.state_dict(),
    )
    path = tmp_path / "original.pth"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    model = SlimNet.load_pretrained(path)
    assert model.architecture.depth_multiplier == multiplier
    torch.testing.assert_close(logits(model, crop), original.logits(state, crop), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_saving_and_loading_keeps_the_network(tmp_path: Path, crop: Tensor, suffix: str) -> None:
    model = SlimNet((4, 8), (8, 5, 2), 3, 2, attributes=("a", "b", "c"), preprocessing=Preprocessing(100, 90))
    path = tmp_path / f"weights{suffix}"
    model.save(path)
    loaded = SlimNet.load_pretrained(path)
    assert torch.equal(logits(loaded, crop), logits(model, crop))
    assert loaded.architecture == model.architecture
    if suffix == ".safetensors":
        assert (loaded.attributes, loaded.preprocessing) == (model.attributes, model.preprocessing)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    (tmp_path / "plain").touch()
    assert path.stat().st_mode == (tmp_path / "plain").stat().st_mode  # others may read it


def test_a_saved_pth_has_the_originals_form(tmp_path: Path) -> None:
    SlimNet().save(tmp_path / "w.pth")
    content = torch.load(tmp_path / "w.pth", weights_only=True)
    assert set(content["hyper_params"]) == {"filter_count_values", "initial_conv", "num_classes", "depth_multiplier"}
    assert list(content["model_state_dict"]) == list(original.state_dict())


@pytest.mark.skipif(sys.platform != "linux", reason="needs a file system that takes any bytes for a name")
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_path_that_is_not_utf8_is_written_and_read_or_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"\udcff{suffix}"
    SlimNet((4,), (4, 7, 2), 2).save(path)
    assert path.is_file()
    if suffix == ".pth":
        assert SlimNet.load_pretrained(path).architecture.num_classes == 2
    else:
        with pytest.raises(CheckpointError, match="its path is not UTF-8"):
            SlimNet.load_pretrained(path)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_weights_load_as_float32(tmp_path: Path, dtype: torch.dtype) -> None:
    model = SlimNet((4,), (4, 7, 2), 2)
    model.to(dtype).save(tmp_path / "half.safetensors")
    assert {p.dtype for p in SlimNet.load_pretrained(tmp_path / "half.safetensors").parameters()} == {torch.float32}


def test_saving_under_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"\.safetensors or \.pth"):
        SlimNet().save(tmp_path / "weights.bin")


def test_a_failed_save_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.safetensors"
    SlimNet((4,), (4, 7, 2)).save(path)
    before = path.read_bytes()

    def fail(_tensors: object, part: Path, **_more: object) -> None:
        Path(part).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr("slimnet.files.checkpoint.save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        SlimNet((8,), (4, 7, 2)).save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX's limits")
@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_where_the_disk_gives_out_in_the_middle_the_old_file_stays(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"w{suffix}"
    path.write_bytes(b"the old file")
    model = SlimNet((4,), (4, 7, 2), 2)
    with largest_file(1000), pytest.raises(OSError, match="File too large") as caught:
        model.save(path)
    said = str(caught.value)
    assert "None" not in said
    assert str(path) in said
    assert len(said.splitlines()) == 1
    assert path.read_bytes() == b"the old file"
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.fixture
def calibrated(tmp_path: Path) -> Path:
    model = SlimNet((4,), (4, 7, 2), 2)
    model.calibration = Calibration((0.5, 3.0), (Reliability(0.8, 0.7, 0.9), Reliability(0.6, 0.5, 0.7)))
    path = tmp_path / "calibrated.safetensors"
    model.save(path)
    return path


def test_a_calibration_is_kept_and_leaves_raw_logits_alone(tmp_path: Path, crop: Tensor, calibrated: Path) -> None:
    model = SlimNet.load_pretrained(calibrated)
    assert model.calibration
    assert model.calibration.temperatures == (0.5, 3.0)
    assert model.calibration.reliability[1] == Reliability(0.6, 0.5, 0.7)
    raw = logits(model, crop)
    model.calibration = None
    model.save(tmp_path / "plain.safetensors")
    assert SlimNet.load_pretrained(tmp_path / "plain.safetensors").calibration is None
    assert torch.equal(logits(SlimNet.load_pretrained(tmp_path / "plain.safetensors"), crop), raw)


def test_how_weights_were_made_is_kept(tmp_path: Path, calibrated: Path) -> None:
    model = SlimNet.load_pretrained(calibrated)
    assert model.provenance is None  # as in files from before it existed
    model.provenance = {"commit": "abc", "settings": {"learning_rate": 0.1}}
    model.save(tmp_path / "w.safetensors")
    assert SlimNet.load_pretrained(tmp_path / "w.safetensors").provenance == model.provenance


def test_the_originals_form_holds_no_calibration(tmp_path: Path, calibrated: Path) -> None:
    SlimNet.load_pretrained(calibrated).save(tmp_path / "w.pth")
    assert SlimNet.load_pretrained(tmp_path / "w.pth").calibration is None


def test_a_calibration_of_another_number_of_attributes_is_not_saved(tmp_path: Path, calibrated: Path) -> None:
    model = SlimNet((4,), (4, 7, 2), 3)
    model.calibration = SlimNet.load_pretrained(calibrated).calibration
    with pytest.raises(CheckpointError, match="for 2 attributes, but the network has 3"):
        model.save(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda model: model.fc.bias.data.fill_(float("nan")), "fc.bias holds values that are not finite"),
        (lambda model: setattr(model, "preprocessing", Preprocessing(8, 8)), "it needs crops of at least"),
        (lambda model: setattr(model, "attributes", ("One",)), "1 attribute names were given for 2 classes"),
    ],
)
def test_what_could_not_be_loaded_is_not_saved(
    change: Callable[[SlimNet], object], why: str, tmp_path: Path, calibrated: Path
) -> None:
    model = SlimNet.load_pretrained(calibrated)
    change(model)
    with pytest.raises(CheckpointError, match=f"cannot be saved, since nobody could load it: {why}"):
        model.save(tmp_path / "w.safetensors")
    assert not (tmp_path / "w.safetensors").exists()


def test_suffixes_may_be_large_and_the_originals_form_becomes_ours(tmp_path: Path, calibrated: Path) -> None:
    model = SlimNet.load_pretrained(calibrated)
    model.save(tmp_path / "W.PTH")
    checkpoint.write(tmp_path / "W.SAFETENSORS", checkpoint.read(tmp_path / "W.PTH"))
    loaded = SlimNet.load_pretrained(tmp_path / "W.SAFETENSORS")
    assert loaded.attributes == ("label_0", "label_1")
    assert torch.equal(loaded.fc.weight, model.fc.weight)


def with_metadata(path: Path, changes: dict) -> Path:
    """The same file with other values; a key such as "preprocessing.width" is in an inner object."""
    with safe_open(path, framework="pt") as file:
        metadata = json.loads(file.metadata()["slimnet"])
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    for key, value in changes.items():
        *outer, last = key.split(".")
        place = metadata
        for name in outer:
            place = place[name]
        place[last] = value
    save_file(state, path.with_name("bad.safetensors"), metadata={"slimnet": json.dumps(metadata)})
    return path.with_name("bad.safetensors")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("temperatures", [1.0, -1.0], "above 0, got -1.0"), ("temperatures", [1.0], "1 temperatures for 2"),
     ("temperatures", [1.0, math.nan], "got nan"), ("temperatures", [1.0, 1e-46], "1e-46: 0.001 to 1000"),
     ("temperatures", [1.0, 10**400], "."), ("temperatures", "ab", "."), ("temperatures", [[], 1.0], "no calibration"),
     ("operating_points", {"f1": {"thresholds": [10**400, 0], "precision": [0, 0], "recall": [0, 0]}}, "."),
     ("operating_points", {"f1": {"thresholds": [2, 0], "precision": [0, 0], "recall": [0, 0]}}, "thresholds has 2"),
     ("operating_points", {"best": {"thresholds": [], "precision": [], "recall": []}}, "take the operating points"),
     ("unsure", [[0, 1], [0, 1]], "take the operating points"), ("sure", [[]], "no calibration"),
     ("reliability", [], "2 temperatures for 0"), ("reliability", None, "no calibration"),
     ("reliability", [{"balanced_accuracy": math.nan, "low": 0.1, "high": 0.2}] * 2, "shares from 0 to 1")],
)  # fmt: skip
def test_an_unsound_calibration_is_refused_with_its_file_and_the_remedy(
    calibrated: Path, key: str, value: Any, message: str
) -> None:
    bad = with_metadata(calibrated, {f"calibration.{key}": value})
    with pytest.raises(CheckpointError, match=rf"bad\.safetensors: .*{message}.*training\.calibrate"):
        SlimNet.load_pretrained(bad)


ARCHITECTURES = [
    ("filter_count_values", [1] * 1000, "of 1 to 8 Slim modules, got 1000"),
    ("filter_count_values", [1] * 10**6, "of 1 to 8 Slim modules"),
    ("filter_count_values", [], "of 1 to 8 Slim modules, got 0"),
    ("filter_count_values", [10**6], "takes whole numbers from 1 to 4096, got 1000000"),
    ("filter_count_values", [4.0], "whole numbers"),
    ("filter_count_values", "4", "whole numbers"),
    ("filter_count_values", 4, "."),
    ("filter_count_values", [4] * 6, "crops of at least 515 pixels a side, but its preprocessing gives 218x178"),
    ("initial_conv", [10**6, 7, 2], "initial_conv's filters"),
    ("initial_conv", [4, 10**9, 2], "initial_conv's size and stride"),
    ("initial_conv", [4, 7, 0], "initial_conv's size and stride"),
    ("initial_conv", [4, 179, 1], "crops of at least 185 pixels a side"),
    ("initial_conv", [4, 7], "initial_conv must be"),
    ("num_classes", 10**9, "num_classes"),
    ("num_classes", -2, "num_classes"),
    ("num_classes", True, "num_classes"),
    ("depth_multiplier", 10**6, "depth_multiplier"),
    ("depth_multiplier", None, "depth_multiplier"),
]


@pytest.fixture
def nothing_is_built(monkeypatch: pytest.MonkeyPatch, calibrated: Path) -> None:  # noqa: ARG001 (to be built first)
    """Make convolutions fail if they are built outside the meta device."""

    def refuse(self: torch.nn.Conv2d, *_shape: object) -> None:
        assert torch.get_default_device().type == "meta", "built"
        return original_reset(self)

    original_reset = torch.nn.Conv2d.reset_parameters
    monkeypatch.setattr(torch.nn.Conv2d, "reset_parameters", refuse)


@pytest.mark.usefixtures("nothing_is_built")
@pytest.mark.parametrize(("key", "value", "message"), ARCHITECTURES)
def test_an_architecture_out_of_bounds_is_refused_before_it_is_built(
    calibrated: Path, key: str, value: Any, message: str
) -> None:
    bad = with_metadata(calibrated, {f"architecture.{key}": value})
    with pytest.raises(CheckpointError, match=rf"bad\.safetensors.*{message}") as caught:
        SlimNet.load_pretrained(bad)
    assert len(str(caught.value).replace(str(bad), "")) < 250


@pytest.mark.usefixtures("nothing_is_built")
@pytest.mark.parametrize(("key", "value", "message"), [case for case in ARCHITECTURES if case[0] != "depth_multiplier"])
def test_so_is_one_in_the_originals_form(tmp_path: Path, key: str, value: Any, message: str) -> None:
    content = original.checkpoint(original.state_dict(4, (4,), 2))
    content["hyper_params"][key] = value
    torch.save(content, tmp_path / "bad.pth")
    with pytest.raises(CheckpointError, match=rf"bad\.pth.*{message}"):
        SlimNet.load_pretrained(tmp_path / "bad.pth")


@pytest.mark.usefixtures("nothing_is_built")
@pytest.mark.parametrize(
    ("changes", "message"),
    [
        *(({"preprocessing.width": value}, "width takes whole numbers from 1 to 1024")
          for value in (-1, 0, 10**9, 178.0, "178", None, True, math.nan)),
        *(({"preprocessing.height": value}, "height takes whole numbers from 1 to 1024") for value in (-1, 0, 10**9)),
        *(({"preprocessing.std": [0.5, 0.5, value]}, "std takes 3 numbers from 0.001 to 1000")
          for value in (0, math.nan, math.inf, -0.5, 1e-30, 1e30, "0.5", None, 10**400)),
        *(({"preprocessing.mean": [0.5, value, 0.5]}, "mean takes 3 numbers from 0 to 1")
          for value in (math.nan, math.inf, -1, 127.5)),
        ({"preprocessing.mean": [0.5, 0.5]}, "mean takes 3 numbers"),
        ({"preprocessing.mean": 0.5}, "preprocessing is unusable"),
        ({"preprocessing": {"height": 218}}, "preprocessing is unusable: 'width' is missing"),
        ({"preprocessing.height": 16}, "crops of at least 19 pixels a side, but its preprocessing gives 16x178"),
        ({"attributes": ["One", "One"]}, "'One' occurs twice"),
        ({"attributes": ["One", ""]}, "a text of 1 to 200 characters"),
        ({"attributes": ["One", " "]}, "a text of 1 to 200 characters"),
        ({"attributes": ["One", 2]}, "a text of 1 to 200 characters"),
        ({"attributes": ["One", None]}, "a text of 1 to 200 characters"),
        ({"attributes": ["One", "x" * 10**6]}, "a text of 1 to 200 characters"),
        ({"attributes": ["One", "\ud800"]}, "half a character"),
        ({"attributes": ["One", "a\nb"]}, "a control character"),
        ({"attributes": "ab"}, "it is no list"),
        ({"attributes": None}, "it is no list"),
        ({"attributes": ["One"]}, "1 attribute names were given for 2 classes"),
        ({"architecture": []}, "architecture is unusable"),
        ({"provenance": "a text"}, "provenance is unusable: it is no JSON object"),
    ],
)  # fmt: skip
def test_a_file_that_no_answer_can_come_of_is_refused_with_the_reason(
    calibrated: Path, changes: dict[str, Any], message: str
) -> None:
    bad = with_metadata(calibrated, changes)
    with pytest.raises(CheckpointError, match=rf"bad\.safetensors.*{message}") as caught:
        SlimNet.load_pretrained(bad)
    assert len(str(caught.value).replace(str(bad), "")) < 250


def test_the_widest_that_is_allowed_loads(tmp_path: Path) -> None:
    model = SlimNet(
        (1,) * 8, (8, 1, 1), 2, 64, attributes=("=1+1", "naïve 👩‍👧"), preprocessing=Preprocessing(1024, 1023)
    )
    model.save(tmp_path / "deep.safetensors")
    loaded = SlimNet.load_pretrained(tmp_path / "deep.safetensors")
    assert (loaded.architecture, loaded.attributes) == (model.architecture, model.attributes)


class Evil:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("pwned"),)


ODD_VALUES: dict[str, dict[Any, Any]] = {
    "number": {"fc.bias": 5},
    "sparse": {"fc.bias": torch.ones(2).to_sparse()},
    "without values": {"fc.bias": torch.ones(2, device="meta")},
    "numbered": {5: torch.ones(2)},
    "spread out": {"fc.weight": torch.ones(1).expand(2, 12), "other": torch.ones(1).expand(10**12)},
    "too large for a float": {"fc.weight": torch.full((2, 12), 1e300, dtype=torch.float64)},
    "no fractions": {"fc.bias": torch.ones(2, dtype=torch.int8)},
    "complex": {"fc.bias": torch.ones(2, dtype=torch.complex64)},
    "a variance below 0": {"conv1.1.running_var": torch.full((4,), -1.0)},
}


def damaged(tmp_path: Path, case: str) -> Path:
    good = tmp_path / "good.safetensors"
    SlimNet((4,), (4, 7, 2), 2).save(good)
    small = original.state_dict(4, (4,), 2)
    path = tmp_path / f"bad{'.safetensors' if case.startswith('safe') else '.pth'}"
    if case == "safetensors cut":
        path.write_bytes(good.read_bytes()[:-100])
    elif case == "safetensors overwritten":
        path.write_bytes(good.read_bytes()[:-100] + bytes(100))
    elif case == "zip overwritten":
        torch.save(original.checkpoint(small), path)
        content = bytearray(path.read_bytes())
        place = content.index(small["fc.weight"].numpy().tobytes())
        content[place : place + 40] = bytes(40)
        path.write_bytes(content)
    elif case == "safetensors of another program":
        save_file({"weight": torch.ones(2)}, path)
    elif case == "safetensors lying":
        path.write_bytes(good.read_bytes().replace(b'num_classes\\": 2', b'num_classes\\": 9'))
    elif case == "text":
        path.write_text("no weights")
    elif case == "empty":
        path.touch()
    elif case == "pickle":
        path.write_bytes(pickle.dumps(Evil()))
    elif case == "code":
        torch.save({"hyper_params": {}, "model_state_dict": Evil()}, path)
    elif case == "other checkpoint":
        torch.save(collections.OrderedDict(small), path)
    elif case == "missing key":
        torch.save(original.checkpoint({k: v for k, v in small.items() if k != "fc.weight"}), path)
    elif case in ODD_VALUES:
        torch.save({**original.checkpoint(small), "model_state_dict": {**small, **ODD_VALUES[case]}}, path)
    elif case == "not finite":
        torch.save(original.checkpoint({**small, "fc.weight": small["fc.weight"] * float("nan")}), path)
    elif case == "compressed":
        torch.save(original.checkpoint({**small, "other": torch.zeros(10**6)}), tmp_path / "stored.pth")
        with (
            zipfile.ZipFile(tmp_path / "stored.pth") as stored,
            zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as zipped,
        ):
            for name in stored.namelist():
                zipped.writestr(name, stored.read(name))
    elif case == "huge":
        large = original.checkpoint(small)
        large["hyper_params"]["num_classes"] = 10**12
        torch.save(large, path)
    return path


@pytest.mark.parametrize(
    "case",
    ["safetensors cut", "safetensors overwritten", "zip overwritten", "safetensors of another program",
     "safetensors lying", "text", "empty", "pickle", "code", "other checkpoint", *ODD_VALUES, "missing key",
     "not finite", "huge", "compressed", "safe but missing"],
)  # fmt: skip
def test_damaged_and_foreign_files_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str) -> None:
    monkeypatch.chdir(tmp_path)
    path = damaged(tmp_path, case)
    with pytest.raises(CheckpointError, match="bad") as caught:
        SlimNet.load_pretrained(path)
    assert "weights_only" not in str(caught.value)  # torch's own message suggests loading the file unsafely
    assert not Path("pwned").exists()


def test_a_file_that_may_not_be_read_is_named_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "w.safetensors"
    SlimNet((4,), (4, 7, 2), 2).save(path)

    def refuse(file: Path, *_: object) -> None:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(file))

    monkeypatch.setattr(Path, "open", refuse)  # the tests may run as root, who may read everything
    with pytest.raises(CheckpointError, match=r"w\.safetensors cannot be read: Permission denied"):
        SlimNet.load_pretrained(path)


@pytest.mark.parametrize(
    ("error", "said"),
    [(OSError(errno.EIO, os.strerror(errno.EIO)), "Input/output error"), (MemoryError(), "there is too little memory")],
)
def test_a_file_that_cannot_be_read_to_its_end_is_not_called_damaged(
    error: Exception, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "w.safetensors"
    SlimNet((4,), (4, 7, 2), 2).save(path)

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr("slimnet.files.checkpoint.safe_open", fail)
    with pytest.raises(CheckpointError, match=rf"w\.safetensors cannot be read: {said}"):
        SlimNet.load_pretrained(path)
