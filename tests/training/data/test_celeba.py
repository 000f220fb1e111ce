import re
from pathlib import Path

import cv2
import numpy as np
import pytest

from slimnet import transform
from tests.fakes import celeba
from training.data.cache import decoded
from training.data.celeba import DataError, read_celeba, read_pictures, unknown_labels, unknown_people
from training.data.folders import join


@pytest.mark.parametrize(("layout", "nested"), [("csv", False), ("csv", True), ("txt", False)])
def test_layouts_are_joined_by_image_name(tmp_path: Path, layout: str, nested: bool) -> None:
    splits = read_celeba(celeba.write(tmp_path, layout, nested))
    assert {name: len(split) for name, split in splits.items()} == {"train": 16, "valid": 6, "test": 6}
    for split in splits.values():
        assert split.attributes == celeba.ATTRIBUTES
        for path, labels in zip(split.paths, split.labels, strict=True):
            picture = cv2.imread(str(path))
            assert picture is not None
            patches = [picture[60 * place : 60 * place + 50, 40:140].mean() > 100 for place in range(3)]
            assert patches == labels.tolist()


@pytest.mark.parametrize(
    "places",
    [
        {"list_attr_celeba.txt": "Anno", "list_eval_partition.txt": "Eval", "img_align_celeba": "Img"},
        dict.fromkeys(("list_attr_celeba.txt", "list_eval_partition.txt", "img_align_celeba"), "celeba"),
    ],
    ids=["official folders", "torchvision's root"],
)
def test_tables_and_pictures_may_be_in_their_distributions_folders(tmp_path: Path, places: dict[str, str]) -> None:
    celeba.write(tmp_path / "flat", "txt")
    for name, place in places.items():
        (tmp_path / "data" / place).mkdir(parents=True, exist_ok=True)
        (tmp_path / "flat" / name).rename(tmp_path / "data" / place / name)
    assert {name: len(split) for name, split in read_celeba(tmp_path / "data").items()} == {
        "train": 16, "valid": 6, "test": 6
    }  # fmt: skip


def test_tables_of_other_programs_are_read(tmp_path: Path) -> None:
    before = read_celeba(celeba.write(tmp_path))["train"]
    table = tmp_path / "list_attr_celeba.csv"
    text = table.read_text().replace(",", " , ").replace("\n", "\r\n") + "\r\n"
    table.write_bytes(b"\xef\xbb\xbf" + text.encode())  # byte-order mark, blanks, Windows' line endings, an empty line
    after = read_celeba(tmp_path)["train"]
    assert after.attributes == before.attributes
    assert np.array_equal(after.labels, before.labels)


@pytest.mark.parametrize(
    "content", [b"\xff\xd8\xff\xe0", b'image_id,a\n"' + b"x" * 200_000], ids=["binary", "unclosed"]
)
def test_a_table_that_is_none_is_named(tmp_path: Path, content: bytes) -> None:
    celeba.write(tmp_path)
    (tmp_path / "list_attr_celeba.csv").write_bytes(content)
    with pytest.raises(DataError, match=r"list_attr_celeba\.csv is no table"):
        read_celeba(tmp_path)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_all_faults_are_named_in_one_error(tmp_path: Path) -> None:
    celeba.write(tmp_path)
    images, table = tmp_path / "img_align_celeba", tmp_path / "list_attr_celeba.csv"
    (images / "000001.jpg").unlink()
    (images / "000001.jpg").symlink_to("nowhere")
    (images / "000002.jpg").write_bytes(b"no picture")
    lines = table.read_text().splitlines()
    table.write_text("\n".join([lines[0], lines[1][:-2] + "7", lines[2] + ",1", *lines[3:], "extra.jpg,1,1,1"]) + "\n")
    partition = tmp_path / "list_eval_partition.csv"
    rows = partition.read_text().splitlines()
    partition.write_text("\n".join([*rows[:-1], rows[-1][:-1] + "3", "absent.jpg,0"]) + "\n")
    with pytest.raises(DataError) as caught:
        read_celeba(tmp_path)
    message = str(caught.value)
    for fault in (
        "rows without a picture: 000001.jpg",
        "damaged pictures: 000002.jpg",
        "labels other than 1, -1 and 0: " + lines[1][:10],
        "another number of labels: " + lines[2][:10],
        "partitions other than 0, 1 and 2: " + rows[-1][:10],
        "without a partition: extra.jpg",
        "without labels: absent.jpg",
    ):
        assert fault in message


def test_missing_tables_and_folders_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"list_attr_celeba\.csv"):
        read_celeba(tmp_path)
    celeba.write(tmp_path / "a")
    (tmp_path / "a" / "img_align_celeba").rename(tmp_path / "a" / "elsewhere")
    with pytest.raises(DataError, match=r"no folder img_align_celeba in .*a$"):
        read_celeba(tmp_path / "a")
    packed = tmp_path / "a" / "Img" / "img_align_celeba.zip"
    packed.parent.mkdir()
    packed.touch()
    with pytest.raises(DataError, match=f"unpack {re.escape(str(packed))} first"):
        read_celeba(tmp_path / "a")


def test_a_name_that_stands_twice_is_refused(tmp_path: Path) -> None:
    celeba.write(tmp_path)
    table = tmp_path / "list_attr_celeba.csv"
    table.write_text(table.read_text() + table.read_text().splitlines()[1] + "\n")
    with pytest.raises(DataError, match="more than once"):
        read_celeba(tmp_path)


def test_a_column_that_stands_twice_is_refused(tmp_path: Path) -> None:
    celeba.write(tmp_path)
    table = tmp_path / "list_attr_celeba.csv"
    table.write_text(table.read_text().replace("Second", "First"))
    with pytest.raises(DataError, match="more than one column First"):
        read_celeba(tmp_path)


def test_zero_is_read_as_absent(tmp_path: Path) -> None:
    celeba.write(tmp_path)
    before = read_celeba(tmp_path)["train"].labels
    table = tmp_path / "list_attr_celeba.csv"
    table.write_text(table.read_text().replace("-1", "0"))
    assert np.array_equal(read_celeba(tmp_path)["train"].labels, before)


def test_damaged_pictures_are_all_named(tmp_path: Path) -> None:
    split = read_celeba(celeba.write(tmp_path / "data"))["train"]
    split.paths[3].write_bytes(split.paths[3].read_bytes()[:40])
    split.paths[5].write_bytes(b"")
    split.paths[7].write_bytes(split.paths[7].read_bytes()[:-300])
    cv2.imwrite(str(split.paths[9]), np.zeros((10, 10, 3), np.uint8))
    with pytest.raises(DataError, match="4 pictures that are damaged") as caught:
        decoded(split, tmp_path / "cache", transform, workers=2)
    assert all(split.paths[place].name in str(caught.value) for place in (3, 5, 7, 9))
    assert list((tmp_path / "cache").iterdir()) == []


def test_the_cache_holds_the_pictures_in_order(tmp_path: Path) -> None:
    split = read_celeba(celeba.write(tmp_path / "data"))["valid"]
    pictures = decoded(split, tmp_path / "cache", transform, workers=2)
    assert np.array_equal(pictures.array, np.concatenate(list(read_pictures(split, transform, batch_size=4))))
    first = cv2.imread(str(split.paths[0]))
    assert first is not None
    assert pictures.array[0].tolist() == first[..., ::-1].tolist()


def test_the_cache_is_used_again_until_a_picture_changes(tmp_path: Path) -> None:
    split = read_celeba(celeba.write(tmp_path / "data"))["valid"]
    first = decoded(split, tmp_path / "cache", transform, workers=1)
    stamp = first.path.stat().st_mtime_ns
    assert decoded(split, tmp_path / "cache", transform, workers=1).path == first.path
    assert first.path.stat().st_mtime_ns == stamp
    cv2.imwrite(str(split.paths[0]), np.zeros((218, 178, 3), np.uint8))
    assert decoded(split, tmp_path / "cache", transform, workers=1).array[0].max() == 0


def test_a_changed_picture_of_the_same_size_is_decoded_anew(tmp_path: Path) -> None:
    split = read_celeba(celeba.write(tmp_path / "data"))["valid"]
    for value in (100, 50):
        raw = cv2.imencode(".jpg", np.full((218, 178, 3), value, np.uint8))[1].tobytes()
        split.paths[0].write_bytes(raw + b"\0" * (5000 - len(raw)))
        assert decoded(split, tmp_path / "cache", transform, workers=1).array[0].max() == value


def test_a_read_only_data_folder_is_enough(tmp_path: Path) -> None:
    data = celeba.write(tmp_path / "data")
    before = sorted(path.name for path in data.rglob("*"))
    decoded(read_celeba(data)["train"], tmp_path / "cache", transform, workers=1)
    assert sorted(path.name for path in data.rglob("*")) == before


def test_too_little_room_is_said_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    split = read_celeba(celeba.write(tmp_path / "data"))["train"]
    monkeypatch.setattr("training.data.cache.shutil.disk_usage", lambda _path: type("Usage", (), {"free": 1000})())
    with pytest.raises(DataError, match="--cache_dir"):
        decoded(split, tmp_path / "cache", transform, workers=1)


@pytest.mark.parametrize("form", ["csv", "txt"])
def test_pictures_of_one_person_share_an_identity(tmp_path: Path, form: str) -> None:
    data = celeba.write(tmp_path)
    train = read_celeba(data)["train"]
    assert len(set(train.identities.tolist())) == len(train)  # without a table each belongs to another person
    assert "every picture counts as another person" in unknown_people(data)
    shown = {path.name: str(number // 3) for number, path in enumerate(train.paths)}
    lines = ["image_id,identity"] * (form == "csv") + [
        f"{name}{',' if form == 'csv' else ' '}{person}" for name, person in shown.items()
    ]
    (data / f"identity_CelebA.{form}").write_text("\n".join(lines) + "\n")
    assert unknown_people(data) == ""
    found = read_celeba(data)["train"]
    same = found.identities[:, None] == found.identities
    people = np.array([shown[path.name] for path in found.paths])
    assert np.array_equal(same, people[:, None] == people)
    third = found.only(np.array([2, 0]))
    assert third.paths == (found.paths[2], found.paths[0])
    assert third.identities.tolist() == found.identities[[2, 0]].tolist()
    assert np.array_equal(third.labels, found.labels[[2, 0]])


@pytest.mark.parametrize("missing", ["000002.jpg", "000002.jpg NA"])
def test_an_image_without_an_identity_is_named(tmp_path: Path, missing: str) -> None:
    data = celeba.write(tmp_path)
    (data / "identity_CelebA.txt").write_text(f"000001.jpg 5\n{missing}\n")
    with pytest.raises(DataError, match=r"without one identity: 000002\.jpg"):
        read_celeba(data)


def test_zero_amid_one_and_minus_one_is_not_known(tmp_path: Path) -> None:
    before = read_celeba(celeba.write(tmp_path))["train"]
    after = read_celeba(celeba.with_gaps(tmp_path))["train"]
    assert before.known.all()
    assert 0 < (~after.known).sum() < after.known.size
    assert np.array_equal(after.labels, before.labels & after.known)
    assert np.array_equal(after.targets, np.where(after.known, before.labels, np.nan), equal_nan=True)
    assert after.targets.dtype == np.float32
    assert after.fingerprint() != before.fingerprint()
    chosen = np.array([3, 1])
    assert np.array_equal(after.only(chosen).known, after.known[chosen])


@pytest.mark.parametrize("absent", ["-1", "0"])
@pytest.mark.parametrize("missing", ["", "NA", "NaN"])  # pandas, R, numpy
def test_a_missing_label_is_not_known_even_in_a_last_column_without_any(
    tmp_path: Path, absent: str, missing: str
) -> None:
    before = read_celeba(celeba.write(tmp_path))["train"]
    table = tmp_path / "list_attr_celeba.csv"
    head, *rows = (row.replace("-1", absent).split(",") for row in table.read_text().splitlines())
    table.write_text("\n".join(",".join(row) for row in [head, *([*row[:3], missing] for row in rows)]) + "\n")
    after = read_celeba(tmp_path)["train"]
    assert after.attributes == before.attributes
    assert after.never_known() == ("Third",)
    assert np.array_equal(after.labels[:, :2], before.labels[:, :2])
    assert after.known[:, :2].all()
    assert read_celeba(tmp_path, wanted=("First",))["train"].attributes == before.attributes


@pytest.mark.parametrize("absent", ["-1", "0"])
def test_a_column_that_holds_no_labels_is_left_out_where_others_are_wanted(tmp_path: Path, absent: str) -> None:
    before = read_celeba(celeba.write(tmp_path))["train"]
    table = tmp_path / "list_attr_celeba.csv"
    table.write_text(table.read_text().replace("-1", absent))
    celeba.with_ages(tmp_path)  # its -1 doesn't make the labels' 0 unknown
    found = read_celeba(tmp_path, wanted=("Third", "Absent"))["train"]
    assert found.attributes == before.attributes
    assert np.array_equal(found.labels, before.labels)
    assert found.known.all()
    with pytest.raises(DataError, match=r"1 columns that are no labels: Age"):
        read_celeba(tmp_path, wanted=("Age",))
    with pytest.raises(DataError, match=r"\(training\.train --attributes names those that are, .+\): Age"):
        read_celeba(tmp_path)


def test_a_table_means_the_same_whichever_of_its_columns_are_wanted(tmp_path: Path) -> None:
    celeba.write(tmp_path)
    table = tmp_path / "list_attr_celeba.csv"
    head, *rows = table.read_text().splitlines()
    cells = [row.split(",") for row in rows]  # the first column has no -1, and 0 for unknown; the others keep theirs
    rows = [",".join([name, first.replace("-1", "0"), *others]) for name, first, *others in cells]
    table.write_text("\n".join([head, *rows]) + "\n")
    whole = read_celeba(tmp_path)["train"]
    name = whole.attributes[0]
    alone = read_celeba(tmp_path, wanted=(name,))["train"].with_attributes((name,))
    assert not whole.known[:, 0].all()
    assert np.array_equal(alone.known[:, 0], whole.known[:, 0])
    assert np.array_equal(alone.labels[:, 0], whole.labels[:, 0])


def test_a_row_of_another_length_is_a_fault_whatever_is_wanted(tmp_path: Path) -> None:
    celeba.with_ages(celeba.write(tmp_path))
    table = tmp_path / "list_attr_celeba.csv"
    *rows, last = table.read_text().splitlines()
    table.write_text("\n".join([*rows, last.rsplit(",", 1)[0]]) + "\n")
    with pytest.raises(DataError, match=f"1 rows with another number of labels: {last.split(',')[0]}"):
        read_celeba(tmp_path, wanted=("First",))


def test_labels_that_are_not_known_are_counted_in_one_line(tmp_path: Path) -> None:
    assert unknown_labels(read_celeba(celeba.write(tmp_path))) == ""
    celeba.with_gaps(tmp_path)
    splits = read_celeba(tmp_path)
    count = (~splits["train"].known).sum()
    said = unknown_labels(splits)
    assert f"which are not counted: {count} of 48 in train" in said
    assert "none of" not in said
    assert "\n" not in said
    table = tmp_path / "list_attr_celeba.csv"
    valid = {path.name for path in splits["valid"].paths}
    rows = [row.split(",") for row in table.read_text().splitlines()]
    table.write_text("\n".join(",".join([*row[:2], "0", row[3]] if row[0] in valid else row) for row in rows))
    assert "; valid knows none of Second" in unknown_labels(read_celeba(tmp_path))


def test_damaged_pictures_of_several_folders_are_told_with_their_own(tmp_path: Path) -> None:
    first, second = (read_celeba(celeba.write(tmp_path / name))["valid"] for name in ("first", "second"))
    (second.paths[0]).write_bytes(b"not a picture")
    with pytest.raises(DataError) as caught:
        list(read_pictures(join([first, second]), transform))
    assert f"{tmp_path / 'second' / 'img_align_celeba'} cannot be used" in str(caught.value)
    assert str(tmp_path / "first") not in str(caught.value)
