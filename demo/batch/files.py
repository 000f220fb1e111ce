"""Which pictures to read, and which other files the given folders contain."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from demo.batch.inputs import is_folder
from demo.pictures.decode import SUFFIXES

# What macOS, Windows and network storage put beside people's files: copies of metadata, thumbnails, deleted files,
# snapshots of the whole folder. Hidden names need not be listed here; they are skipped anyway.
_SYSTEM_NAMES = frozenset((
    "__macosx", "network trash folder", "temporary items",  # macOS
    "$recycle.bin", "system volume information", "thumbs.db", "ehthumbs.db", "desktop.ini",  # Windows
    "@eadir", "@tmp", "#recycle", "#snapshot", "@recycle", "@recently-snapshot", "~snapshot", "lost+found",  # storage
))  # fmt: skip
# Pictures that are not opened. Common unsupported formats are in demo.pictures.decode.SUFFIXES instead, because opening
# them gives a message that says what to do.
_PICTURE_SUFFIXES = frozenset((
    ".avci", ".bpg", ".flif", ".jng", ".mng", ".jpm", ".pam", ".targa", ".rle", ".sgi", ".rgb", ".rgba", ".bw", ".ras",
    ".xbm", ".xpm", ".icns", ".wbmp", ".pct", ".pict", ".dds", ".fits", ".dcm", ".djvu",
    ".xcf", ".kra", ".ora", ".clip", ".afphoto", ".pdn",  # editors
    ".gpr", ".k25", ".mdc",  # cameras
))  # fmt: skip
_OTHER_MEDIA_SUFFIXES = frozenset((
    ".mp4", ".mov", ".m4v", ".avi", ".mkv", ".webm", ".3gp", ".3g2", ".mts", ".m2ts", ".mpg", ".mpeg", ".wmv", ".flv",
    ".ogv", ".mj2", ".mxf", ".ai", ".wmf", ".emf", ".cdr",
))  # fmt: skip
_MAX_KINDS = 6  # named in each sentence


class PictureFiles:
    """The files to read, each once: the given files, and those with a picture's suffix in the given folders.

    A given file is read whatever its name. In folders, hidden files and folders are skipped, and so are the system's. A
    leading dot is how a Mac, a NAS or a phone marks what is not for people, such as an unfinished copy, a thumbnail or
    a deleted picture (.trashed-1700000000-IMG_1.jpg).

    Args:
        inputs: names of files, and of folders to search.

    Attributes:
        files: names of the files, in the order of the inputs and sorted inside each folder. A file that several inputs
            name or contain has the name under which it was found first.
        failed: for each folder that could not be searched, a sentence that begins with its name.
        unsupported: suffix -> number of pictures with it, for formats that are not opened.
        not_read: path of a folder or picture that is not read -> the reason.
    """

    def __init__(self, inputs: Sequence[str]) -> None:
        self.failed: list[str] = []
        self.unsupported: Counter[str] = Counter()
        self.not_read: dict[str, str] = {}
        self._other_media: Counter[str] = Counter()
        self._others: Counter[str] = Counter()
        self._passed_over: Counter[str] = Counter()  # by name; all AppleDouble files share one
        self._passed_over_folders = 0
        found: dict[str, str] = {}  # absolute path -> the name under which it was found first
        for name in inputs:
            for file in sorted(self._walk(name, frozenset())) if is_folder(name) else [name]:
                found.setdefault(os.path.normpath(Path(file).absolute()), file)
        self.files = list(found.values())

    def not_tried(self) -> Iterator[str]:
        """Describe the files that were found but are not in `files`.

        Yields:
            A sentence for each kind: unsupported pictures, videos and drawings, other files, and hidden ones.
        """
        if self.unsupported:
            yield f"Pictures of formats that are not supported: {_listed(self.unsupported)}. Save them as JPEG or PNG."
        if self._other_media:
            yield f"Videos and drawings, which are not read: {_listed(self._other_media)}."
        if self._others:
            yield f"Not called like pictures: {_listed(self._others)}."
        if self._passed_over:
            folders = self._passed_over_folders
            counts = ((self._passed_over.total() - folders, "file"), (folders, "folder"))
            numbers = " and ".join(f"{count} {noun}{'s' * (count > 1)}" for count, noun in counts if count)
            names = [name for name, _ in self._passed_over.most_common(_MAX_KINDS)]
            more = " …" if len(self._passed_over) > _MAX_KINDS else ""
            yield f"Passed over: {numbers} of the system's or hidden ({', '.join(names)}{more})."

    def _walk(self, folder: str, above: frozenset[str]) -> Iterator[str]:
        """Picture files in a folder and below; follows links, except back into a folder above."""
        real = os.path.realpath(folder)
        if real in above:
            return
        try:
            entries = list(os.scandir(folder))
        except OSError as error:
            reason = error.strerror or "it cannot be opened"
            self.failed.append(f"{folder}: {reason}")
            self.not_read[folder] = reason
            return
        for entry in entries:
            entry_is_folder = _is_folder(entry)
            if entry.name.startswith(".") or entry.name.lower() in _SYSTEM_NAMES:
                self._passed_over["._*" if entry.name.startswith("._") else entry.name] += 1
                self._passed_over_folders += entry_is_folder
            elif entry_is_folder:
                yield from self._walk(entry.path, above | {real})
            elif self._is_picture(entry.path):
                yield entry.path

    def _is_picture(self, path: str) -> bool:
        """Whether to open a file in a folder, by its suffix; if not, counts it."""
        suffix = Path(path).suffix.lower()
        if suffix in SUFFIXES:
            return True
        if suffix in _PICTURE_SUFFIXES:
            self.unsupported[suffix] += 1
            self.not_read[path] = f"a picture of the format {suffix}, which is not supported: save it as JPEG or PNG"
        elif suffix in _OTHER_MEDIA_SUFFIXES:
            self._other_media[suffix] += 1
        else:
            self._others[suffix or "without a suffix"] += 1
        return False


def _is_folder(entry: "os.DirEntry[str]") -> bool:
    """Whether an entry is a folder, even one that we may not enter."""
    try:
        return entry.is_dir()
    except OSError:  # what a link points to cannot be looked at
        return False


def _listed(counts: Counter[str]) -> str:
    """Numbers and kinds, most frequent first: "3 .nef, 1 .jxl"."""
    listed = [f"{count} {kind}" for kind, count in counts.most_common(_MAX_KINDS)]
    rest = counts.total() - sum(count for _, count in counts.most_common(_MAX_KINDS))
    return ", ".join(listed + ([f"{rest} others"] if rest else []))
