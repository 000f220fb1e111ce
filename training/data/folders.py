"""The data folders of a run: their weights, and their labels and pictures joined into one training split."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.data.cache import JoinedPictures, LabelledPictures, Pictures
from training.data.celeba import DataError, Split, read_celeba, unknown_labels, unknown_people
from training.data.columns import listed
from training.data.draws import Draws

_MOST_DRAWS = 100  # per picture and epoch


@dataclass(frozen=True)
class Folder:
    """A data folder, and how often each of its training pictures is drawn in an epoch.

    Args:
        path: The folder.
        draws: How often, over 0; 1 unless given.
    """

    path: Path
    draws: float = 1.0

    @classmethod
    def parse(cls, text: str) -> "Folder":
        """Read a folder as --data_dir takes it: FOLDER or FOLDER=DRAWS.

        An existing folder may have a = in its name.

        Args:
            text: The word of the command line.

        Raises:
            DataError: There is no such folder, and what follows the last = is not a number in the range, or nothing
                stands before it.
        """
        name, equals, number = text.rpartition("=")
        if not equals or Path(text).is_dir():
            return cls(Path(text))
        try:
            draws = float(number)
            if not 0 < draws <= _MOST_DRAWS:  # nan fails too
                raise ValueError
        except ValueError:
            raise DataError(
                f"--data_dir {text}: there is no such folder, and as FOLDER=DRAWS it takes a number above 0, up to "
                f"{_MOST_DRAWS}, how often each picture is drawn in an epoch"
            ) from None
        if not name.strip():  # such as from a shell variable that is not set
            raise DataError(f"--data_dir {text}: there is no folder before the =")
        return cls(Path(name), draws)


@dataclass(frozen=True)
class RunSplits:
    """The splits of a run's folders, all with the same attributes.

    Args:
        train: The training split of each folder that has one.
        draws: How often their pictures are drawn in an epoch.
        valid: The validation splits with known labels, by folder name; the first decides which weights are best.
        notes: What the user should know, a line each.
        others: The folders' pictures outside their training splits.
    """

    train: tuple[Split, ...]
    draws: Draws
    valid: dict[str, Split]
    notes: tuple[str, ...] = ()
    others: tuple[Path, ...] = ()

    def joined(self) -> Split:
        """Return the training splits of all folders as one."""
        return join(self.train)

    def fingerprints(self) -> dict[str, str]:
        """Return a SHA-256, in hexadecimal, of the "train" splits with their draws, and of the "valid" splits."""
        valid = join(tuple(self.valid.values()))
        return {"train": _fingerprint(self.joined(), self.draws), "valid": valid.fingerprint()}

    def with_pictures(self, pictures: Sequence[Pictures]) -> "RunData":
        """Add the decoded pictures.

        Args:
            pictures: Of each training split, then of each validation split.
        """
        train, valid = pictures[: len(self.train)], pictures[len(self.train) :]
        return RunData(
            LabelledPictures(train[0] if len(train) == 1 else JoinedPictures(tuple(train)), self.joined()),
            self.draws,
            {
                name: LabelledPictures(there, split)
                for (name, split), there in zip(self.valid.items(), valid, strict=True)
            },
        )


@dataclass(frozen=True)
class RunData:
    """What a run trains on and is validated on.

    Args:
        train: Training pictures of all folders, joined.
        draws: How often each folder's pictures are drawn in an epoch.
        valid: Validation pictures by folder name; the first decides which weights are best.
    """

    train: LabelledPictures
    draws: Draws
    valid: dict[str, LabelledPictures]

    @classmethod
    def of(cls, train: LabelledPictures, valid: LabelledPictures) -> "RunData":
        """Return the data of a run on one folder.

        Args:
            train: Its training pictures.
            valid: Its validation pictures.
        """
        return cls(train, Draws.once(len(train.split)), {"data": valid})

    def fingerprint(self) -> str:
        """Return a SHA-256, in hexadecimal, of the training pictures' names, their labels and draws."""
        return _fingerprint(self.train.split, self.draws)

    def choice_fingerprint(self) -> str:
        """Return a SHA-256, in hexadecimal, of the validation pictures that decide which weights are best."""
        return next(iter(self.valid.values())).split.fingerprint()


def _fingerprint(train: Split, draws: Draws) -> str:
    split = train.fingerprint()
    return split if draws.even else hashlib.sha256(repr((split, draws.folders)).encode()).hexdigest()


def join(splits: Sequence[Split]) -> Split:
    """Join splits with the same attributes, one after another; assumes that nobody is in two of them.

    Args:
        splits: At least one.
    """
    people, there = [], 0
    for split in splits:
        people.append(split.identities + there)
        there += int(split.identities.max(initial=-1)) + 1
    return Split(
        tuple(path for split in splits for path in split.paths),
        np.concatenate([split.labels for split in splits]),
        splits[0].attributes,
        np.concatenate(people),
        np.concatenate([split.known for split in splits]),
    )


def read_folders(data_dirs: Sequence[str], attributes: Sequence[str] = (), *, validated: bool = True) -> RunSplits:
    """Read the folders of a run, and join their columns of labels by name.

    Learns the first folder's attributes, or the given ones. A column that a folder lacks is unknown there; its other
    columns are left out. A folder may lack labels altogether, unless it has to name the attributes.

    Args:
        data_dirs: Each FOLDER or FOLDER=DRAWS; the first must have labels unless attributes are given.
        attributes: Attributes to learn, in the order of the outputs; the first folder's unless given.
        validated: Whether it is a run that learns from labels, so that each attribute needs one, and that there has to
            be something to validate on.

    Raises:
        DataError: A folder cannot be read, or there is nothing to train on; for a run that learns from labels also if
            no folder has one of the attributes, or there is nothing to validate on.
    """
    folders = different_folders(data_dirs)
    first = read_celeba(folders[0].path, labelled=not attributes, wanted=attributes)
    learnt = tuple(attributes) or first["train"].attributes
    found = [first, *(read_celeba(folder.path, labelled=False, wanted=learnt) for folder in folders[1:])]
    labelled = {name: None for splits in found for name in splits["train"].attributes}  # in order
    unknown = [name for name in learnt if name not in labelled]
    if validated and unknown:
        raise DataError(f"--attributes: no folder labels {listed(unknown)}; labelled are {listed(list(labelled))}")
    names = _names(folders)
    notes = _notes(folders[0].path, found[0], learnt, first=True)
    if len(folders) > 1:
        notes = [
            f"{name}: {line}"
            for number, (name, folder, splits) in enumerate(zip(names, folders, found, strict=True))
            for line in _notes(folder.path, splits, learnt, first=number == 0)
        ]
    joined = [{name: split.with_attributes(learnt) for name, split in splits.items()} for splits in found]
    where = " and ".join(data_dirs)
    valid = _valid(names, joined)
    if validated and not valid:
        raise DataError(_why_not_validated(joined, where))
    others = tuple(path for splits in joined for name in ("valid", "test") for path in splits[name].paths)
    return RunSplits(*_train(folders, joined, where), valid, tuple(notes), others)


def different_folders(data_dirs: Sequence[str]) -> list[Folder]:
    """Return the folders with their draws.

    Args:
        data_dirs: Each FOLDER or FOLDER=DRAWS.

    Raises:
        DataError: One can't be understood, or is given twice.
    """
    folders = [Folder.parse(text) for text in data_dirs]
    twice = named_twice([folder.path for folder in folders])
    if twice:
        raise DataError(f"--data_dir names {', '.join(twice)} twice: to draw its pictures more often, give it a number")
    return folders


def named_twice(folders: Sequence[Path]) -> list[str]:
    """Return the folders that are given again, by the same path or another.

    Args:
        folders: In the order given.
    """
    places = [folder.resolve() for folder in folders]
    return [str(folder) for number, folder in enumerate(folders) if places[number] in places[:number]]


def _train(folders: Sequence[Folder], found: Sequence[dict[str, Split]], where: str) -> tuple[tuple[Split, ...], Draws]:
    """Return the training splits that have pictures, and their draws.

    Raises:
        DataError: There is none.
    """
    there = [(splits["train"], folder.draws) for folder, splits in zip(folders, found, strict=True)]
    there = [(split, draws) for split, draws in there if len(split)]
    if not there:
        raise DataError(f"{where} has no pictures in its train split")
    return tuple(split for split, _ in there), Draws(tuple((len(split), draws) for split, draws in there))


def _valid(names: Sequence[str], found: Sequence[dict[str, Split]]) -> dict[str, Split]:
    """Return the validation splits with known labels by folder name."""
    return {name: splits["valid"] for name, splits in zip(names, found, strict=True) if splits["valid"].known.any()}


def _why_not_validated(found: Sequence[dict[str, Split]], where: str) -> str:
    """Say why no validation split of these folders can judge anything."""
    if any(len(splits["valid"]) for splits in found):
        return "no label of the valid split is known (0 beside -1 and 1): nothing can be judged"
    return f"{where} has no pictures in its valid split"


def _notes(folder: Path, splits: dict[str, Split], learnt: Sequence[str], first: bool) -> list[str]:
    """Say what is unknown in a folder, and which columns of a folder after the first are left out."""
    columns = splits["train"].attributes
    common = [name for name in learnt if name in columns]
    missing = [name for name in learnt if name not in columns]
    extra = [name for name in columns if name not in learnt]
    lines = []
    if missing:
        lines.append(f"does not label {listed(missing)}: not known there")
    if extra and not first:
        lines.append(f"its columns {listed(extra)} are left out")
    if common:
        lines.append(unknown_labels({name: split.with_attributes(common) for name, split in splits.items()}))
    valid = splits["valid"].with_attributes(learnt)
    if valid.known.any():
        lines.append(unknown_people(folder))  # for training.calibrate, which takes the same pictures
    elif len(valid) and not first:
        lines.append("its validation split has no known label, and is not reported")
    return [line for line in lines if line]


def _names(folders: Sequence[Folder]) -> list[str]:
    """Return a name for each folder: its own, or its whole path if two have the same."""
    own = [folder.path.resolve().name for folder in folders]
    return [str(folder.path) if own.count(name) > 1 else name for folder, name in zip(folders, own, strict=True)]
