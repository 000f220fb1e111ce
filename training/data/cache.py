"""Pictures decoded once into a memory-mapped file; a run continues where a killed one stopped.

The unfinished file, `….rgb.part`, has its full size from the start, so that a full disk is noticed before any work is
done. Beside it is `….rgb.progress`, with a line for every batch written so far and its checksum.
"""

import errno
import hashlib
import os
import shutil
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import BinaryIO

import numpy as np

from slimnet import Preprocessing
from training.data.celeba import DataError, Split, read_pictures
from training.data.counting import counted

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_BATCH = 256  # pictures for each line of progress
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_ABANDONED_SECONDS = 600  # without a write, if files cannot be locked; a run writes every second


@dataclass(frozen=True)
class Pictures:
    """A split's decoded pictures in a memory-mapped file; cheap to pass to a worker process.

    Args:
        path: File of the raw bytes.
        shape: (N, height, width, 3).
    """

    path: Path
    shape: tuple[int, int, int, int]

    @cached_property
    def array(self) -> np.ndarray:
        """The pictures, uint8 RGB (N, height, width, 3), read-only."""
        return np.memmap(self.path, np.uint8, "r", shape=self.shape)

    def __getstate__(self) -> dict[str, object]:
        return {"path": self.path, "shape": self.shape}  # unpickling opens a new map

    def __len__(self) -> int:
        """Number of pictures."""
        return self.shape[0]

    @property
    def name(self) -> str:
        """Name of the file; it differs for different pictures."""
        return self.path.name

    def take(self, indices: np.ndarray) -> np.ndarray:
        """Read pictures.

        Args:
            indices: Which, integer (n,).

        Returns:
            uint8 RGB (n, height, width, 3), a copy.
        """
        return self.array[indices]

    @property
    def size(self) -> int:
        """Size of the file in bytes."""
        return int(np.prod(self.shape))

    @property
    def complete(self) -> bool:
        """Whether the file is there and has its full size."""
        return self.path.exists() and self.path.stat().st_size == self.size

    @property
    def part(self) -> Path:
        """The file while it is being filled."""
        return self.path.with_suffix(".rgb.part")

    @property
    def progress(self) -> Path:
        """The list of batches in the unfinished file."""
        return self.path.with_suffix(".rgb.progress")


@dataclass(frozen=True)
class JoinedPictures:
    """The decoded pictures of several folders, one after another.

    Args:
        parts: Each folder's, at least one.
    """

    parts: tuple[Pictures, ...]

    def __len__(self) -> int:
        """Number of pictures."""
        return sum(map(len, self.parts))

    @property
    def size(self) -> int:
        """Size of the files in bytes."""
        return sum(part.size for part in self.parts)

    @property
    def name(self) -> str:
        """A name that differs for different pictures."""
        return " ".join(part.name for part in self.parts)

    def take(self, indices: np.ndarray) -> np.ndarray:
        """Read pictures.

        Args:
            indices: Which, integer (n,).

        Returns:
            uint8 RGB (n, height, width, 3), a copy.
        """
        ends = np.cumsum([len(part) for part in self.parts])
        owners = np.searchsorted(ends, indices, side="right")
        found = np.empty((len(indices), *self.parts[0].shape[1:]), np.uint8)
        for number in np.unique(owners):
            mine, part = owners == number, self.parts[number]
            found[mine] = part.take(indices[mine] - (ends[number] - len(part)))
        return found


@dataclass(frozen=True)
class LabelledPictures:
    """A split's decoded pictures and its labels.

    Args:
        pictures: Decoded pictures, in the order of the split.
        split: Paths and labels.
    """

    pictures: Pictures | JoinedPictures
    split: Split


def decoded(split: Split, cache_dir: str | Path, preprocessing: Preprocessing, workers: int) -> Pictures:
    """Decode a split into the cache, unless it is there already.

    Continues where a killed run stopped, and waits while another run decodes the same split. The file's name depends on
    the pictures' paths, sizes and modification times.

    Args:
        split: Pictures to decode.
        cache_dir: Folder of the cache.
        preprocessing: Has the size that the pictures must have.
        workers: Threads that decode.

    Returns:
        The decoded pictures, complete.

    Raises:
        DataError: Pictures are damaged or of another size, or the folder has too little room.
    """
    pictures = place(split, cache_dir, preprocessing)
    if pictures.complete:
        return pictures
    _make_room([pictures])
    with _in_the_making(pictures) as file:
        if file:
            try:
                _fill(file, pictures, split, preprocessing, workers)
            except DataError:
                _let_go(file)
                _discard(pictures.part)
                raise
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                _let_go(file)
                _discard(pictures.part)
                raise _no_room(pictures.size, pictures.path.parent, f" ({error.strerror})") from error
    return pictures


def decoded_together(
    splits: Sequence[Split], cache_dir: str | Path, preprocessing: Preprocessing, workers: int
) -> list[Pictures]:
    """Decode splits into the cache, each into its own file, after removing leftovers of killed runs.

    Args:
        splits: Splits with pictures, at least one.
        cache_dir: Folder of the cache.
        preprocessing: Has the size that the pictures must have.
        workers: Threads that decode.

    Returns:
        The pictures of each split.

    Raises:
        DataError: Pictures are damaged or of another size, and the message counts those of all splits, or the cache has
            too little room.
    """
    check_room([place(split, cache_dir, preprocessing) for split in splits])
    faults = []
    pictures = []
    for split in splits:
        try:
            pictures.append(decoded(split, cache_dir, preprocessing, workers))
        except DataError as error:  # noqa: PERF203 (each round decodes for minutes)
            faults.append(str(error))
    if faults:
        raise DataError("\n".join(faults))
    return pictures


def place(split: Split, cache_dir: str | Path, preprocessing: Preprocessing) -> Pictures:
    """Return the place of a split's pictures in the cache, whether they are there yet or not.

    Args:
        split: Pictures to look for.
        cache_dir: Folder of the cache.
        preprocessing: Has the height and width of the pictures.
    """
    shape = (len(split), preprocessing.height, preprocessing.width, 3)
    folders = {folder: folder.resolve() for folder in {path.parent for path in split.paths}}
    files = [(os.path.join(folders[path.parent], path.name), path.stat()) for path in split.paths]  # noqa: PTH118 (speed)
    described = repr((shape, [(name, status.st_size, status.st_mtime_ns) for name, status in files]))
    name = f"celeba-{hashlib.sha256(described.encode()).hexdigest()[:16]}.rgb"
    return Pictures(Path(cache_dir) / name, shape)


def check_room(wanted: Sequence[Pictures]) -> None:
    """Make the cache folder, remove leftovers of killed runs, and check that these pictures fit.

    Args:
        wanted: Pictures that will be decoded, at least one, all in the same folder.

    Raises:
        DataError: The folder has too little room.
    """
    for part in wanted[0].path.parent.glob("celeba-*.rgb.part"):
        if part not in [pictures.part for pictures in wanted] and _abandoned(part):
            _discard(part)
    _make_room(wanted)


def _make_room(wanted: Sequence[Pictures]) -> None:
    """Make the cache folder, and check that these pictures fit; raises DataError if they don't."""
    cache = wanted[0].path.parent
    cache.mkdir(parents=True, exist_ok=True)
    needed = sum(pictures.size - _allocated(pictures.part) for pictures in wanted if not pictures.complete)
    if shutil.disk_usage(cache).free < needed:
        raise _no_room(needed, cache)


def _abandoned(part: Path) -> bool:
    """Return whether no run is writing to an unfinished file any more."""
    try:
        with part.open("r+b") as file:
            free = _locked(file, wait=False)
            return time.time() - part.stat().st_mtime > _ABANDONED_SECONDS if free is None else free
    except OSError:  # another user's, or gone
        return False


def _allocated(part: Path) -> int:
    """Return the bytes that a file takes up on the disk; 0 if that is not known."""
    return getattr(part.stat(), "st_blocks", 0) * 512 if part.exists() else 0


def _no_room(needed: int, cache: Path, reason: str = "") -> DataError:
    free = shutil.disk_usage(cache).free
    return DataError(
        f"{cache} has {_readable(free)} free, and the decoded pictures take {_readable(needed)}{reason}: "
        "choose another --cache_dir"
    )


def _readable(size: int) -> str:
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"


def _let_go(file: BinaryIO) -> None:
    """Close a file if there are no locks to keep, since Windows can't rename or remove an open file."""
    if fcntl is None:
        file.close()


def _discard(part: Path) -> None:
    part.unlink(missing_ok=True)
    part.with_suffix(".progress").unlink(missing_ok=True)


@contextmanager
def _in_the_making(pictures: Pictures) -> Iterator[BinaryIO | None]:
    """Yield the file to fill, locked against other runs; None if another run has finished it."""
    while not pictures.complete:
        with os.fdopen(os.open(pictures.part, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)), "r+b") as file:
            if _locked(file, wait=False) is False:
                print(f"another run is decoding into {pictures.path.parent}: waiting for it", file=sys.stderr)
                _locked(file, wait=True)
            # While this run waited, the other may have finished or abandoned the file.
            if pictures.part.exists() and os.path.samestat(os.fstat(file.fileno()), pictures.part.stat()):
                yield file
                return
    yield None


def _locked(file: BinaryIO, wait: bool) -> bool | None:
    """Lock a file against other runs until it is closed.

    Without locks, two runs may fill a file together; they write the same bytes to the same places.

    Returns:
        Whether the file is locked now; None if files cannot be locked.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    return True


def _fill(file: BinaryIO, pictures: Pictures, split: Split, preprocessing: Preprocessing, workers: int) -> None:
    """Decode a split into its file, after the batches already there, and give the file its final name."""
    reserve(file, pictures.size)
    done = _batches_there(file, pictures) * _BATCH
    rest = split.only(np.arange(min(done, len(split)), len(split)))
    with (
        pictures.progress.open("a", encoding="ascii") as progress,
        counted("decoding pictures", len(split), len(split) - len(rest)) as advance,
    ):
        for number, batch in enumerate(read_pictures(rest, preprocessing, _BATCH, workers), done // _BATCH):
            file.seek(number * _BATCH * pictures.size // len(split))
            file.write(batch.data)
            file.flush()
            progress.write(f"\n{number} {_checksum(batch)}")  # newline first: it ends a torn line
            progress.flush()
            advance(len(batch))
    os.fsync(file.fileno())  # or after a power cut it could have its final name, and be black towards its end
    _let_go(file)
    pictures.progress.unlink(missing_ok=True)
    try:
        with suppress(OSError):  # network disks and those of other systems may know no modes
            pictures.part.chmod(0o644)  # the cache may be shared
        pictures.part.replace(pictures.path)
    except FileNotFoundError:  # without locks, another run may have been first
        if not pictures.complete:
            raise


def reserve(file: BinaryIO, size: int) -> None:
    """Give a file its full size and allocate the disk space, if the file system can.

    Args:
        file: File open for writing.
        size: Bytes.

    Raises:
        OSError: There is too little room.
    """
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except AttributeError:  # not on a Mac or Windows
        pass
    except OSError as error:
        if error.errno in _NO_ROOM:
            raise
    file.truncate(size)


def _batches_there(file: BinaryIO, pictures: Pictures) -> int:
    """Count the intact batches, from the first on, that an earlier run left."""
    if not pictures.progress.exists():
        return 0
    lines = [line.split() for line in pictures.progress.read_text(encoding="ascii", errors="replace").splitlines()]
    known = {line[0]: line[1] for line in lines if len(line) == 2}
    there = np.memmap(file, np.uint8, "r", shape=pictures.shape)
    number = 0
    while known.get(str(number)) == str(_checksum(there[number * _BATCH : (number + 1) * _BATCH])):
        number += 1
    return number


def _checksum(batch: np.ndarray) -> int:
    """Return the CRC-32 of every seventh row of pixels: part of each disk page, at a seventh of the cost."""
    return zlib.crc32(np.ascontiguousarray(batch[:, ::7]).data)
