from pathlib import Path

import pytest

from slimnet import Calibration, Reliability, SlimNet
from tests.fakes import celeba
from tests.training.train.runs import flags
from training import train


def test_weights_to_begin_with(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first = SlimNet((4, 8), (8, 7, 2), 3, attributes=celeba.ATTRIBUTES)
    first.calibration = Calibration((2.0,) * 3, (Reliability(0.8, 0.7, 0.9),) * 3)
    first.save(tmp_path / "first.safetensors")
    options = ["--init_from", str(tmp_path / "first.safetensors"), "--learning_rate", "0", "--num_epochs", "1"]
    assert train.main(flags(data, tmp_path / "run", *options)) == 0
    trained = SlimNet.load_pretrained(tmp_path / "run" / "last.safetensors")
    assert trained.fc.weight.equal(first.fc.weight)
    assert trained.calibration is None  # figures measured on the first weights do not hold for others
    assert train.main(flags(data, tmp_path / "other", *options, "--filter_counts", "4")) == 1
    assert "another shape" in capsys.readouterr().err


def test_frozen_modules_stay_as_they_were_and_the_others_learn(tmp_path: Path, data: Path) -> None:
    first = SlimNet((4, 8), (8, 7, 2), 3, attributes=celeba.ATTRIBUTES)
    first.save(tmp_path / "first.safetensors")
    options = ["--init_from", str(tmp_path / "first.safetensors"), "--frozen_modules", "1", "--learning_rate", "0.01"]
    for more in (["--num_epochs", "1"], ["--num_epochs", "2", "--optimizer", "adamw"]):
        run = tmp_path / more[-1]
        assert train.main(flags(data, run, *options, *more)) == 0
        before, after = first.state_dict(), SlimNet.load_pretrained(run / "last.safetensors").state_dict()
        changed = {name.split(".")[0] for name, value in before.items() if not value.equal(after[name])}
        assert changed == {"slim2", "fc"}  # batch norm's statistics included
