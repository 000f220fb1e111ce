import csv
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from slimnet import SlimNet
from tests.fakes import celeba
from training import ask_teachers
from training.data.celeba import read_celeba
from training.data.teacher_table import table_logits
from training.fit import distillation


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return celeba.write(tmp_path / "data")


def weights(path: Path, *logits: float) -> str:
    """Weights that say the same about every picture."""
    network = SlimNet((4, 8), (8, 7, 2), len(logits), attributes=celeba.ATTRIBUTES[: len(logits)])
    with torch.no_grad():
        network.fc.weight.zero_()
        network.fc.bias.copy_(torch.tensor(logits))
    network.save(path)
    return str(path)


def ask(data: Path, *teachers: str, attributes: Sequence[str] = ()) -> Path:
    out = data.parent / "out" / "teacher.csv"
    cache = str(data.parent / "cache")
    options = ["--data_dir", str(data), "--cache_dir", cache, "--out", str(out), "--device", "cpu"]
    chosen = ["--attributes", *attributes] if attributes else []
    assert ask_teachers.main([*options, *chosen, "--teachers", *teachers]) == 0
    return out


def test_the_table_holds_the_mean_logit_of_all_teachers(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = ask(data, weights(tmp_path / "a.safetensors", 4, -2, 0), weights(tmp_path / "b.safetensors", 0, -2, 2))
    splits = read_celeba(data)
    for split in (splits["train"], splits["valid"]):
        np.testing.assert_allclose(table_logits(str(table), split), np.tile([2, -2, 1], (len(split), 1)), atol=1e-4)
    with table.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["file", *celeba.ATTRIBUTES]
    assert len(rows) == len(splits["train"]) + len(splits["valid"])  # never from the test split
    right = 100 * (splits["valid"].labels == [True, False, True]).mean()
    assert f"data, 6 of 6 validation pictures: accuracy {right:.2f} %" in capsys.readouterr().out


def test_pictures_without_a_validation_split_are_asked_about_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = celeba.write(tmp_path / "further", sizes={0: 5, 1: 0, 2: 2})
    table = ask(data, weights(tmp_path / "a.safetensors", 4, -2, 0))
    np.testing.assert_allclose(
        table_logits(str(table), read_celeba(data)["train"]), np.tile([4, -2, 0], (5, 1)), atol=1e-4
    )
    assert "validation pictures" not in capsys.readouterr().out


def test_a_table_may_hold_some_of_the_attributes_and_teaches_nothing_of_the_others(tmp_path: Path, data: Path) -> None:
    teacher = weights(tmp_path / "a.safetensors", 4, -2, 0)
    table = ask(data, teacher, attributes=("Third", "First"))
    with table.open(encoding="utf-8", newline="") as file:
        assert next(csv.reader(file)) == ["file", "Third", "First"]
    split = read_celeba(data)["train"]
    expected = np.tile([4, np.nan, 0], (len(split), 1))
    np.testing.assert_allclose(table_logits(str(table), split), expected, atol=1e-4)
    taught, (line,) = distillation.check_teachers([str(table)], split)
    assert taught == {"First", "Third"}
    assert line.endswith("it does not know Second (1)")


def test_an_attribute_that_is_named_twice_is_refused(data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        ask(data, "a.safetensors", attributes=("First", "Third", "First"))
    assert "--attributes names First more than once" in capsys.readouterr().err


def test_all_that_the_teachers_know_is_asked_even_if_the_folders_label_less_or_nothing(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    teacher = weights(tmp_path / "a.safetensors", 4, -2, 0)
    of_annotate = tmp_path / "annotated.csv"
    picture = read_celeba(data)["train"].paths[0].as_posix()
    of_annotate.write_text(f"file,face,x,y,width,height,Extra\n{picture},1,0,0,9,9,0.25\n", encoding="utf-8")
    for columns in (("First", "", ""), ("", "", "")):
        folder = celeba.with_columns(celeba.write(tmp_path / "-".join(columns) / "data"), *columns)
        if not any(columns):
            (folder / "list_attr_celeba.csv").unlink()
        table = ask(folder, teacher)
        with table.open(encoding="utf-8", newline="") as file:
            header, row, *_ = csv.reader(file)
        assert (header, row[1:]) == (["file", *celeba.ATTRIBUTES], ["0.982014", "0.119203", "0.500000"])
    both = ask(data, teacher, str(of_annotate))
    assert both.read_text(encoding="utf-8").splitlines()[0] == ",".join(("file", *celeba.ATTRIBUTES, "Extra"))
    assert f"{of_annotate} is asked for Extra (1) and answers for 1 of" in capsys.readouterr().err


def test_what_no_teacher_knows_has_no_column_and_is_not_judged(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = ask(data, weights(tmp_path / "a.safetensors", 4))
    with table.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    assert header == ["file", "First"]
    assert {first for _, first in rows} == {"0.982014"}
    shown = capsys.readouterr()
    assert "data, 6 of 6 validation pictures: " in shown.out
    assert f"accuracy {100 * read_celeba(data)['valid'].labels[:, 0].mean():.2f} %" in shown.out
    options = ["--data_dir", str(data), "--out", str(table), "--teachers", str(tmp_path / "a.safetensors")]
    assert ask_teachers.main([*options, "--attributes", "First", "Third"]) == 1
    assert "--attributes: no teacher knows Third (1); they know First (1)" in capsys.readouterr().err


def test_only_pictures_that_a_teacher_answers_for_are_counted(data: Path) -> None:
    split = read_celeba(data)["valid"]
    probabilities = np.full(split.labels.shape, np.nan)
    assert "answer nothing of its 6 validation pictures" in ask_teachers.describe("data", split, probabilities)
    probabilities[0] = split.labels[0]
    said = ask_teachers.describe("data", split, probabilities)
    assert said.startswith("data, 1 of 6 validation pictures: accuracy 100.00 %, balanced accuracy")
    assert "nan" not in said


def test_a_table_may_be_one_of_the_teachers(tmp_path: Path, data: Path) -> None:
    first = ask(data, weights(tmp_path / "a.safetensors", 4, -2, 0)).rename(tmp_path / "first.csv")
    table = ask(data, str(first), weights(tmp_path / "b.safetensors", 0, -2, 2))
    split = read_celeba(data)["train"]
    np.testing.assert_allclose(table_logits(str(table), split)[:, 0], 2, atol=1e-4)


def test_a_table_may_answer_for_validation_pictures_alone(tmp_path: Path, data: Path) -> None:
    valid = {path.as_posix() for path in read_celeba(data)["valid"].paths}
    first = ask(data, weights(tmp_path / "a.safetensors", 4, -2, 0)).rename(tmp_path / "first.csv")
    header, *rows = first.read_text(encoding="utf-8").splitlines(keepends=True)
    first.write_text(header + "".join(row for row in rows if row.split(",")[0] in valid), encoding="utf-8")
    table = ask(data, str(first))
    np.testing.assert_allclose(table_logits(str(table), read_celeba(data)["valid"])[:, 0], 4, atol=1e-4)


def test_teachers_count_by_their_weights_where_they_answer(tmp_path: Path, data: Path) -> None:
    first = ask(data, weights(tmp_path / "a.safetensors", 4, -2, 0)).rename(tmp_path / "first.csv")
    with first.open(encoding="utf-8", newline="") as file:
        header, row, *rest = csv.reader(file)
    with first.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, [row[0], row[1], "", row[3]], *rest])
    table = ask(data, f"{first}=0.75", f"{weights(tmp_path / 'b=2.safetensors', 0, 2)}=0.25")
    expected = np.tile([3.0, -1.0, 0.0], (len(read_celeba(data)["train"]), 1))
    expected[0, 1] = 2
    np.testing.assert_allclose(table_logits(str(table), read_celeba(data)["train"]), expected, atol=1e-4)


def test_a_file_may_have_an_equals_sign_in_its_name(tmp_path: Path, data: Path) -> None:
    table = ask(data, weights(tmp_path / "a=3.safetensors", 4, -2, 0), weights(tmp_path / "b.safetensors", 0, -2, 2))
    np.testing.assert_allclose(table_logits(str(table), read_celeba(data)["train"])[:, 0], 2, atol=1e-4)


def test_tables_are_joined_without_decoding_pictures(tmp_path: Path, data: Path) -> None:
    first = ask(data, weights(tmp_path / "a.safetensors", 4, -2, 0)).rename(tmp_path / "first.csv")
    shutil.rmtree(tmp_path / "cache")
    before = first.read_text()
    assert ask(data, str(first)).read_text() == before
    assert not (tmp_path / "cache").exists()


def test_attributes_can_be_left_out_for_the_pictures_of_a_folder(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    inner = celeba.write(data / "inner")
    options = ["--data_dir", str(data), f"{inner}=0.5", "--cache_dir", str(tmp_path / "cache"), "--device", "cpu"]
    teacher = weights(tmp_path / "a.safetensors", 4, -2, 0)
    said = {}
    for left_out in ([f"{data}=Second", f"{data.parent}/./data/inner=First, Third"], [f"{inner}=First,Second,Third"]):
        out = str(tmp_path / "teacher.csv")
        assert ask_teachers.main([*options, "--out", out, "--teachers", teacher, "--leave_out", *left_out]) == 0
        with Path(out).open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        empty = {
            (row["file"].startswith(str(inner)), tuple(n for n in celeba.ATTRIBUTES if not row[n])) for row in rows
        }
        said[len(left_out)] = empty
    assert said[2] == {(False, ("Second",)), (True, ("First", "Third"))}
    assert said[1] == {(False, ()), (True, celeba.ATTRIBUTES)}
    labels = read_celeba(data)["valid"].labels
    shown = capsys.readouterr().out
    assert (
        f"data, 6 of 6 validation pictures: accuracy {100 * (labels[:, [0, 2]] == [True, False]).mean():.2f} %" in shown
    )
    assert "inner: the teachers answer nothing" in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--teachers", "A.csv=0"),
            "--teachers A.csv=0: there is no such file, and as FILE=WEIGHT it takes a number above",
        ),
        (("--teachers", "A.csv=half"), "how much the teacher counts in the mean"),
        (("--teachers", "=0.5"), "--teachers =0.5: there is no file before the ="),
        (("--leave_out", "First"), "--leave_out First: it takes FOLDER=NAME,NAME, a folder of --data_dir and"),
        (("--leave_out", "data="), "--leave_out data=: it takes FOLDER=NAME,NAME"),
        (("--leave_out", "other=First"), "--data_dir does not have the folder other, but {data}"),
        (("--leave_out", "{data}=First,Fifth"), "the table has no column Fifth; it has First, Second, Third (3)"),
    ],
)
def test_a_weight_or_a_gap_that_cannot_be_understood_is_named(
    tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, str], message: str
) -> None:
    out = tmp_path / "teacher.csv"
    flag, word = arguments
    options = ["--data_dir", str(data), "--out", str(out)]
    if flag != "--teachers":
        options += ["--teachers", weights(tmp_path / "a.safetensors", 4, -2, 0)]
    assert ask_teachers.main([*options, flag, word.format(data=data)]) == 1
    assert message.format(data=data) in capsys.readouterr().err
    assert not out.exists()


def test_a_table_of_one_folder_says_nothing_of_the_same_names_in_another(tmp_path: Path, data: Path) -> None:
    first = ask(data, weights(tmp_path / "a.safetensors", 4, -2, 0)).rename(tmp_path / "first.csv")
    other = celeba.write(tmp_path / "other" / "data")
    options = ["--data_dir", str(data), str(other), "--cache_dir", str(tmp_path / "cache"), "--device", "cpu"]
    both = [str(first), weights(tmp_path / "b.safetensors", 0, -2, 2)]
    assert ask_teachers.main([*options, "--out", str(tmp_path / "both.csv"), "--teachers", *both]) == 0
    rows = list(csv.DictReader((tmp_path / "both.csv").open(encoding="utf-8", newline="")))
    said = {row["file"].startswith(other.as_posix()): float(row["First"]) for row in rows}
    assert said == {False: pytest.approx(1 / (1 + np.exp(-2)), abs=1e-3), True: pytest.approx(0.5, abs=1e-3)}


def test_a_teacher_that_cannot_be_used_is_named(tmp_path: Path, data: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "teacher.csv"
    options = ["--data_dir", str(data), "--out", str(out), "--teachers", str(tmp_path / "none.safetensors")]
    assert ask_teachers.main(options) == 1
    assert "none.safetensors" in capsys.readouterr().err
    assert not out.exists()
