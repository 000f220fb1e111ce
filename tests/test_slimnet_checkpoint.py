import collections
import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from slimnet import Calibration, CheckpointError, Preprocessing, Reliability, SlimNet
from tests import original


@pytest.fixture(scope="module")
def crop():
    return torch.rand(1, 3, 218, 178, generator=torch.Generator().manual_seed(1)) * 2 - 1


def logits(model, x):
    with torch.no_grad():
        return model.eval()(x)


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before 1.6"])
@pytest.mark.parametrize("multiplier", [1, 2])
def test_original_files_give_the_originals_logits(tmp_path, crop, zipped, multiplier):
    state = original.state_dict(20, (8, 8, 8, 8), 40, multiplier)
    optimizer = torch.optim.Adam([torch.nn.Parameter(torch.ones(2))])
    scheduler = torch.optim.lr_scheduler.MultiStepLR(optimizer, [2, 3])
    content = original.checkpoint(
        state,
        stored_multiplier=7,  # never used by the original: the shapes tell the truth
        optimizer_state_dict=optimizer.state_dict(),
        scheduler_state_dict=scheduler.state_dict(),
    )
    path = tmp_path / "original.pth"
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    model = SlimNet.load_pretrained(path)
    assert model.architecture.depth_multiplier == multiplier
    torch.testing.assert_close(logits(model, crop), original.logits(state, crop), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_saving_and_loading_keeps_the_network(tmp_path, crop, suffix):
    model = SlimNet((4, 8), (8, 5, 2), 3, 2, attributes=("a", "b", "c"), preprocessing=Preprocessing(100, 90))
    path = tmp_path / f"weights{suffix}"
    model.save(path)
    loaded = SlimNet.load_pretrained(path)
    assert torch.equal(logits(loaded, crop), logits(model, crop))
    assert loaded.architecture == model.architecture
    if suffix == ".safetensors":
        assert (loaded.attributes, loaded.preprocessing) == (model.attributes, model.preprocessing)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_saved_pth_has_the_originals_form(tmp_path):
    SlimNet().save(tmp_path / "w.pth")
    content = torch.load(tmp_path / "w.pth", weights_only=True)
    assert set(content["hyper_params"]) == {"filter_count_values", "initial_conv", "num_classes", "depth_multiplier"}
    assert list(content["model_state_dict"]) == list(original.state_dict())


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_weights_load_as_float32(tmp_path, dtype):
    model = SlimNet((4,), (4, 7, 2), 2)
    model.to(dtype).save(tmp_path / "half.safetensors")
    assert {p.dtype for p in SlimNet.load_pretrained(tmp_path / "half.safetensors").parameters()} == {torch.float32}


def test_saving_under_another_suffix_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\.safetensors or \.pth"):
        SlimNet().save(tmp_path / "weights.bin")


def test_a_failed_save_keeps_the_old_file(tmp_path, monkeypatch):
    path = tmp_path / "w.safetensors"
    SlimNet((4,), (4, 7, 2)).save(path)
    before = path.read_bytes()

    def fail(_tensors, part, **_more):
        Path(part).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr("slimnet.checkpoint.save_file", fail)
    with pytest.raises(OSError, match="disk full"):
        SlimNet((8,), (4, 7, 2)).save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.fixture
def calibrated(tmp_path):
    model = SlimNet((4,), (4, 7, 2), 2)
    model.calibration = Calibration((0.5, 3.0), (Reliability(0.8, 0.7, 0.9), Reliability(0.6, 0.5, 0.7)))
    path = tmp_path / "calibrated.safetensors"
    model.save(path)
    return path


def test_a_calibration_is_kept_and_leaves_raw_logits_alone(tmp_path, crop, calibrated):
    model = SlimNet.load_pretrained(calibrated)
    assert model.calibration.temperatures == (0.5, 3.0)
    assert model.calibration.reliability[1] == Reliability(0.6, 0.5, 0.7)
    raw = logits(model, crop)
    model.calibration = None
    model.save(tmp_path / "plain.safetensors")
    assert SlimNet.load_pretrained(tmp_path / "plain.safetensors").calibration is None
    assert torch.equal(logits(SlimNet.load_pretrained(tmp_path / "plain.safetensors"), crop), raw)


def test_the_originals_form_holds_no_calibration(tmp_path, calibrated):
    SlimNet.load_pretrained(calibrated).save(tmp_path / "w.pth")
    assert SlimNet.load_pretrained(tmp_path / "w.pth").calibration is None


def test_a_calibration_of_another_number_of_attributes_is_not_saved(tmp_path, calibrated):
    model = SlimNet((4,), (4, 7, 2), 3)
    model.calibration = SlimNet.load_pretrained(calibrated).calibration
    with pytest.raises(CheckpointError, match="of 2 attributes, the network has 3"):
        model.save(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [("temperatures", [1.0, -1.0], "above 0, got -1.0"), ("temperatures", [1.0], "1 temperatures for 2"),
     ("reliability", [], "2 temperatures for 0"), ("reliability", None, "no calibration")],
)  # fmt: skip
def test_an_unsound_calibration_is_refused_with_its_file_and_the_remedy(tmp_path, calibrated, key, value, message):
    with safe_open(calibrated, framework="pt") as file:
        metadata = json.loads(file.metadata()["slimnet"])
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (not a mapping)
    metadata["calibration"][key] = value
    save_file(state, tmp_path / "bad.safetensors", metadata={"slimnet": json.dumps(metadata)})
    with pytest.raises(CheckpointError, match=rf"bad\.safetensors: .*{message}.*training\.calibrate"):
        SlimNet.load_pretrained(tmp_path / "bad.safetensors")


class Evil:
    def __reduce__(self):
        return Path.touch, (Path("pwned"),)


ODD_VALUES = {
    "number": {"fc.bias": 5},
    "sparse": {"fc.bias": torch.ones(2).to_sparse()},
    "without values": {"fc.bias": torch.ones(2, device="meta")},
    "numbered": {5: torch.ones(2)},
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
        content = original.checkpoint(small)
        content["model_state_dict"] = {**small, **ODD_VALUES[case]}
        torch.save(content, path)
    elif case == "not finite":
        torch.save(original.checkpoint({**small, "fc.weight": small["fc.weight"] * float("nan")}), path)
    elif case == "huge":
        content = original.checkpoint(small)
        content["hyper_params"]["num_classes"] = 10**12
        torch.save(content, path)
    return path


@pytest.mark.parametrize(
    "case",
    ["safetensors cut", "safetensors overwritten", "zip overwritten", "safetensors of another program",
     "safetensors lying", "text", "empty", "pickle", "code", "other checkpoint", *ODD_VALUES, "missing key",
     "not finite", "huge", "safe but missing"],
)  # fmt: skip
def test_damaged_and_foreign_files_are_named(tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    path = damaged(tmp_path, case)
    with pytest.raises(CheckpointError, match="bad") as caught:
        SlimNet.load_pretrained(path)
    assert "weights_only" not in str(caught.value)  # torch's own message advises to load the file unsafely
    assert not Path("pwned").exists()
