import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from huggingface_hub import ModelCard

from slimnet import Calibration, CheckpointError, Preprocessing, Reliability, SlimNet
from tests.fakes.hub import hub

PUSH_AND_LOAD = """
import json, sys
from pathlib import Path
import torch
from slimnet import Calibration, Reliability, SlimNet
model = SlimNet((4, 6), (8, 7, 2), 2, attributes=("One", "Two"))
print(model.push_to_hub("somebody/slimnet", private=True))
config = Path(sys.argv[1]) / "config.json"
config.write_text(json.dumps({**json.loads(config.read_text()), "filter_count_values": [1] * 1000}))  # by a stranger
loaded = SlimNet.from_pretrained("somebody/slimnet")
assert loaded.attributes == ("One", "Two")
assert torch.equal(loaded.fc.weight, model.fc.weight)

card = Path(sys.argv[1]) / "README.md"
model.calibration = Calibration((1.0, 1.0), (Reliability(0.91, 0.9, 0.925), Reliability(0.6, 0.5, 0.7)))
model.push_to_hub("somebody/slimnet")
assert "91.0" in card.read_text(), "a card that nobody has changed is not brought up to date"
card.write_text("By hand.")
model.push_to_hub("somebody/slimnet", ignore_patterns="*.txt")
assert card.read_text() == "By hand."
"""


@pytest.fixture
def model() -> SlimNet:
    torch.manual_seed(0)
    model = SlimNet((4, 6), (8, 7, 2), 2, attributes=("One", "Two"), preprocessing=Preprocessing(80, 90))
    model.calibration = Calibration((0.5, 2.0), (Reliability(0.91, 0.9, 0.925), Reliability(0.6, 0.5, 0.7)))
    return model


def test_a_saved_folder_loads_as_the_same_network(model: SlimNet, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "repository")
    assert {path.name for path in (tmp_path / "repository").iterdir()} == {
        "README.md", "config.json", "model.safetensors",
    }  # fmt: skip
    loaded = SlimNet.from_pretrained(tmp_path / "repository")
    assert not loaded.training
    assert loaded.architecture == model.architecture
    assert loaded.attributes == ("One", "Two")
    assert loaded.preprocessing == Preprocessing(80, 90)
    assert loaded.calibration == model.calibration
    for name, value in model.state_dict().items():
        torch.testing.assert_close(loaded.state_dict()[name], value, rtol=0, atol=0)


def test_the_weights_there_are_our_own_file(model: SlimNet, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    assert SlimNet.load_pretrained(tmp_path / "model.safetensors").attributes == ("One", "Two")
    config = json.loads((tmp_path / "config.json").read_text())
    assert config["model_type"] == "slimnet"
    assert config["slimnet"]["architecture"]["filter_count_values"] == [4, 6]
    assert config["slimnet"]["calibration"]["temperatures"] == [0.5, 2.0]


def test_the_card_says_what_the_weights_are_worth(model: SlimNet, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    card = ModelCard.load(tmp_path / "README.md")
    assert card.data.pipeline_tag == "image-classification"
    assert card.data.license == "other"
    assert "2 face attributes" in card.text
    assert "| One | 91.0 | 90.0 to 92.5 |" in card.text
    model.calibration = None
    model.save_pretrained(tmp_path)  # over the other weights
    text = (tmp_path / "README.md").read_text(encoding="utf-8")
    assert "One, Two. How reliable each one is has not been measured" in text


def test_a_card_that_somebody_has_changed_stays(model: SlimNet, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    card = tmp_path / "README.md"
    card.write_text(card.read_text(encoding="utf-8") + "\nBy hand.\n", encoding="utf-8")
    model.calibration = None
    model.save_pretrained(tmp_path)
    assert card.read_text(encoding="utf-8").endswith("\nBy hand.\n")


def test_a_folder_without_weights_is_named(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"there are no weights at .*model\.safetensors"):
        SlimNet.from_pretrained(tmp_path)


def test_a_folder_that_there_is_not_is_named() -> None:
    with pytest.raises(CheckpointError, match=r"there is no folder \./no/such/folder"):
        SlimNet.from_pretrained("./no/such/folder")


def test_a_hub_out_of_reach_is_an_os_error(tmp_path: Path) -> None:
    nobody = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_TOKEN": "hf_stand_in", "HF_HOME": str(tmp_path)}
    program = """
import time
time.sleep = lambda _: None  # huggingface_hub waits 23 s between its tries
from slimnet import SlimNet
from slimnet.files.hub import HubRepository
model = SlimNet((4, 6), (8, 7, 2), 2)
def push():
    try:
        model.push_to_hub("somebody/slimnet")
    except OSError as error:
        print(type(error).__name__, str(error).splitlines()[0])
push()
HubRepository._holds_written_card = lambda *_: False  # as if the hub went away after that question
push()
"""
    environment = os.environ | nobody
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)
    asked, sent = done.stdout.splitlines()
    assert asked.startswith("LocalEntryNotFoundError "), done.stderr
    assert sent.startswith("OSError somebody/slimnet cannot be uploaded: "), done.stderr


def test_an_option_that_there_is_not_is_refused(model: SlimNet, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    with pytest.raises(TypeError, match="revison"):
        SlimNet.from_pretrained(tmp_path, revison="v2")


@pytest.mark.parametrize("config", [b"", b"{", b"[]", b"5", b"\xff"])
def test_a_config_that_is_damaged_is_named(model: SlimNet, tmp_path: Path, config: bytes) -> None:
    model.save_pretrained(tmp_path)
    (tmp_path / "config.json").write_bytes(config)
    with pytest.raises(CheckpointError, match=r"config\.json is damaged"):
        SlimNet.from_pretrained(tmp_path)


def test_strangers_keys_in_the_config_change_nothing(model: SlimNet, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    config |= {"model_id": "other", "revision": "other", "checkpoint": 5, "filter_count_values": [1] * 1000}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert SlimNet.from_pretrained(tmp_path).architecture == model.architecture


def test_what_is_pushed_to_the_hub_loads_from_there(tmp_path: Path) -> None:
    """In a process of its own, since huggingface_hub reads its environment once."""
    repository = tmp_path / "repository"
    repository.mkdir()
    with hub(repository) as stand_in:
        environment = os.environ | stand_in.environment(tmp_path / "home")
        command = [sys.executable, "-c", PUSH_AND_LOAD, str(repository)]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        assert "/somebody/slimnet/commit/" in done.stdout
        assert stand_in.created["name"] == "slimnet"
        assert stand_in.files() == ["README.md", "config.json", "model.safetensors"]
    assert SlimNet.load_pretrained(repository / "model.safetensors").attributes == ("One", "Two")
