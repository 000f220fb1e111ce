import pytest

from training.fit.config import parse_config


def test_defaults_are_the_papers_plain_recipe() -> None:
    config = parse_config([])
    assert (config.data_dir, config.save_dir, config.save_every) == (("data",), "checkpoints", 5)
    assert (config.num_epochs, config.batch_size, config.num_workers) == (20, 64, 2)
    assert (config.conv_filters, config.conv_filter_size, config.conv_filter_stride) == (96, 7, 2)
    assert (config.filter_counts, config.depth_multiplier, config.num_classes) == ((16, 32, 48, 64), 1, 40)
    assert (config.weight_decay, config.learning_rate) == (1e-4, 1e-4)
    assert (config.decay_lr_every, config.lr_decay) == (0, 0.1)
    assert (config.optimizer, config.schedule, config.augment, config.average) == ("adam", "step", False, 0)
    assert (config.precision, config.device) == ("float32", "auto")


@pytest.mark.parametrize("flag", ["--conv_filter_stride", "--conv_stride"])
def test_the_stride_has_two_names(flag: str) -> None:
    assert parse_config([flag, "3"]).conv_filter_stride == 3


def test_a_flag_wins_over_its_recipe() -> None:
    assert parse_config(["--recipe", "best"]).optimizer == "adamw"
    config = parse_config(["--optimizer", "adam", "--recipe", "best", "--no-augment"])
    assert (config.optimizer, config.augment, config.schedule) == ("adam", False, "cosine")


def test_the_number_of_outputs_follows_the_attributes() -> None:
    assert parse_config(["--attributes", "A", "B"]).num_classes == 2


def test_filter_counts_may_be_any_number() -> None:
    assert parse_config(["--filter_counts", "4", "8", "12"]).filter_counts == (4, 8, 12)


@pytest.mark.parametrize(
    "flags",
    [
        "--num_epochs 0", "--average 1", "--warmup -0.1", "--num_workers -1", "--recipe x", "--seed -1",
        "--plain_share 0.1", "--augmentation turn=1",
        "--augmentation scale=2 --augment",
        "--augmentation turn --augment",
        "--minutes nan", "--minutes inf", "--minutes -1", "--save_minutes nan", "--learning_rate inf",
        "--weight_decay nan", "--weight_decay -1", "--average nan", "--warmup nan",
        "--early_share nan", "--plain_share nan", "--teacher_share nan", "--lr_decay nan",
        "--lr_decay -0.1", "--lr_decay 0", "--early_height 5000", "--seed 12345678901234567890",
        "--batch_size 100000000", "--num_workers 100000", "--num_epochs 99999999999", "--conv_filters 0",
        "--conv_filter_size 0", "--conv_filter_stride 999", "--depth_multiplier 65", "--filter_counts 4 -1",
        "--filter_counts 1 1 1 1 1 1 1 1 1", "--num_classes 100000", "--decay_lr_every 3 --schedule cosine",
        "--decay_lr_every 3 --recipe best", "--lr_decay 0.5", "--teacher_share 0.7", "--early_height 150",
        "--save_dir=", "--data_dir=", "--cache_dir=", "--teachers=",
        "--attributes A B A", "--num_classes 40 --attributes A B",
        "--frozen_modules 1", "--frozen_modules 5 --init_from a.pth",
    ],
)  # fmt: skip
def test_impossible_values_are_named(flags: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_config(flags.split())
    assert flags.split()[0].strip("-=") in capsys.readouterr().err.partition("error:")[2]


def test_help_tells_the_defaults_of_its_recipe(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parse_config(["--help", "--recipe", "best"])
    assert "(default: cosine)" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize(
    "flags",
    [
        "--minutes 90.5", "--save_minutes 0", "--learning_rate 0", "--seed 9223372036854775807", "--average 0.9999",
        "--decay_lr_every 3 --lr_decay 1", "--early_share 0.5 --early_height 218", "--teachers a.pth --teacher_share 1",
    ],
)  # fmt: skip
def test_the_ends_of_the_ranges_are_taken(flags: str) -> None:
    parse_config(flags.split())
