"""Puts this repository on Hugging Face as a Space: `python -m demo.deploy USER/NAME`."""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from huggingface_hub import HfApi, SpaceHardware, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled
from huggingface_hub.utils import httpx, validate_repo_id

from demo.paths import ROOT
from demo.publish.leaks import find_key, is_named_like_a_secret
from demo.terminal import printable

_OWN_NAME = "USER/NAME"  # in the README's front matter, where the hub expects the Space's name
_MAX_BYTES = 50 * 2**20


class DeployError(Exception):
    """The repository cannot be deployed; the message says why and what to do."""


def parse_arguments(arguments: list[str] | None = None) -> argparse.Namespace:
    """Parse the command line.

    Args:
        arguments: without the program's name; None for the program's own.

    Returns:
        space, dry_run, private and hardware.
    """
    parser = argparse.ArgumentParser(prog="python -m demo.deploy", description=__doc__)
    parser.add_argument("space", metavar="USER/NAME", help="created if missing, otherwise updated")
    parser.add_argument("--dry-run", action="store_true", help="only list what would be uploaded, with sizes in bytes")
    parser.add_argument("--private", action="store_true", help="a new Space is for you alone, or for your organisation")
    parser.add_argument(
        "--hardware",
        choices=[hardware.value for hardware in SpaceHardware],
        metavar="H",
        help="of a new Space: zero-a10g, cpu-basic, t4-small, … (default: Hugging Face's)",
    )
    return parser.parse_args(arguments)


def main(arguments: list[str] | None = None) -> int:
    """List the files and upload them.

    Args:
        arguments: without the program's name; None for the program's own.

    Returns:
        The exit status: 1 if something forbids the upload, 2 for a call that can't work.
    """
    chosen = parse_arguments(arguments)
    try:
        validate_repo_id(chosen.space)
        if "/" not in chosen.space:
            raise HFValidationError(f"{chosen.space} is not the name of a Space. Give it as USER/NAME.")
        files = listing(ROOT)
        sizes = [(ROOT / path).lstat().st_size for path in files]
        for path, size in zip(files, sizes, strict=True):
            print(f"{size:>12,}  {printable(path.as_posix())}")
        print(f"{sum(sizes):>12,}  in {len(files)} files")
        refused = refusals(ROOT, files)
        if refused:
            raise DeployError("Nothing is uploaded, because of\n  " + "\n  ".join(refused))
        if not chosen.dry_run:
            print(upload(ROOT, files, chosen.space, private=chosen.private, hardware=chosen.hardware))
    except HFValidationError as error:
        print(f"demo.deploy: {error}", file=sys.stderr)
        return 2
    except DeployError as error:
        print(f"demo.deploy: {error}", file=sys.stderr)
        return 1
    return 0


def listing(root: Path) -> list[Path]:
    """List the project's files. Only git can tell them from the user's own, such as pictures.

    Args:
        root: root folder of the repository.

    Returns:
        The paths of those that git tracks and that are there, relative to `root`, sorted.

    Raises:
        DeployError: there is no git, the folder is no repository, or git can't list its files.
    """
    if not shutil.which("git"):
        raise DeployError("git is needed, to tell the project's files from your own: install it")
    if not (root / ".git").exists():
        raise DeployError(
            f"{root} is no git repository, so the project's files cannot be told from your own. Clone the project; or "
            "run `git init` and `git add .` here, and look at what `git status` lists"
        )
    command = ["git", "-C", str(root), "ls-files", "-z"]
    listed = subprocess.run(command, check=False, capture_output=True)
    if listed.returncode:
        raise DeployError(f"git cannot list the files in {root}: {os.fsdecode(listed.stderr).strip()}")
    names = os.fsdecode(listed.stdout).split("\0")[:-1]
    return sorted(Path(name) for name in names if os.path.lexists(root / name))


def refusals(root: Path, files: list[Path]) -> list[str]:
    """Find what should not be published.

    Args:
        root: root folder of the repository.
        files: paths of the files, relative to `root`.

    Returns:
        For each refused file, a sentence that begins with its path, and the line with a key.
    """
    refused = []
    for path in files:
        whole, shown = root / path, printable(str(path))
        if whole.is_symlink():
            refused.append(f"{shown}: a link; only files of the repository can be uploaded")
        elif whole.is_dir():
            refused.append(f"{shown}: a repository of its own (a submodule); only files of this one can be uploaded")
        elif shown != str(path):
            refused.append(f"{shown}: the hub takes no such name")
        elif is_named_like_a_secret(path):
            refused.append(f"{shown}: files of this name hold keys or passwords; remove it from git (git rm --cached)")
        elif whole.stat().st_size > _MAX_BYTES:
            refused.append(f"{shown}: larger than {_MAX_BYTES // 2**20} MB; data and checkpoints do not belong here")
        elif key := find_key(whole.read_bytes()):
            line, what = key
            refused.append(f"{shown}:{line}: looks like {what}; remove it, and replace it where it was ever shown")
    return refused


def name_space(readme: Path, space: str) -> None:
    """Put a Space's name into its README's front matter, which needs complete addresses.

    Args:
        readme: the README to change.
        space: name of the Space as USER/NAME.

    Raises:
        ValueError: it has no front matter, or is not UTF-8.
    """
    try:
        before, front, rest = readme.read_text(encoding="utf-8").split("---\n", 2)
    except UnicodeDecodeError:
        raise ValueError("it is not UTF-8") from None
    except ValueError:
        raise ValueError("it does not begin with a block between two lines of ---") from None
    readme.write_text("---\n".join((before, front.replace(_OWN_NAME, space), rest)), encoding="utf-8", newline="\n")


def upload(root: Path, files: list[Path], space: str, *, private: bool, hardware: str | None) -> str:
    """Make the Space hold exactly these files.

    Args:
        root: root folder of the repository.
        files: paths of the files, relative to `root`.
        space: name of the Space as USER/NAME; it is created if it does not exist.
        private: make a new Space visible only to its owner; otherwise it is as the owner's settings say, which for
            users means public.
        hardware: a value of `SpaceHardware`, for a new Space; None for Hugging Face's default.

    Returns:
        The address of the Space.

    Raises:
        DeployError: there is no token, it lacks permission, the hub can't be reached, or a file can't be copied.
    """
    token = get_token()
    if token is None:
        raise DeployError("There is no token for Hugging Face. Run `hf auth login`, or set HF_TOKEN to one.")
    api = HfApi(token=token)
    with _copied(root, files, space) as folder, _refusals_explained(api):
        if private and api.repo_exists(space, repo_type="space") and not api.space_info(space).private:
            raise DeployError(
                f"{space} exists already, and everybody can see it: make it private in its settings first."
            )
        address = api.create_repo(
            space,
            repo_type="space",
            exist_ok=True,
            private=private or None,
            space_sdk="gradio",
            space_hardware=SpaceHardware(hardware) if hardware else None,
        )
        api.upload_folder(
            repo_id=space,
            repo_type="space",
            folder_path=folder,
            delete_patterns="*",
            commit_message="Bring the Space up to date with the repository",
        )
    return str(address)


@contextmanager
def _copied(root: Path, files: list[Path], space: str) -> Iterator[Path]:
    """A temporary folder with only these files, since upload_folder looks at every file below its folder."""
    with ExitStack() as removal:
        try:
            folder = Path(removal.enter_context(tempfile.TemporaryDirectory()))
            for path in files:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(root / path, folder / path)
            name_space(folder / "README.md", space)
        except ValueError as error:
            raise DeployError(f"README.md cannot describe the Space: {error}") from error
        except OSError as error:
            raise DeployError(f"the files cannot be copied to upload them: {error}") from error
        yield folder


@contextmanager
def _refusals_explained(api: HfApi) -> Iterator[None]:
    """Turn what the hub, or the way to it, raises into a DeployError."""
    try:
        yield
    except HfHubHTTPError as error:
        raise DeployError(f"Hugging Face refuses: {error.server_message or error}") from error
    # An ImportError comes from a proxy in the environment that httpx can't use.
    except (httpx.HTTPError, OfflineModeIsEnabled, OSError, ImportError) as error:
        raise DeployError(f"Hugging Face cannot be reached at {api.endpoint}: {error}") from error
    except RuntimeError as error:  # of a large file, where the cause says why
        raise DeployError(f"Hugging Face has not taken a file: {error} {error.__cause__ or ''}".rstrip()) from error
    except ValueError as error:  # such as wrong front matter in the README, or a proxy that httpx doesn't know
        raise DeployError(f"huggingface_hub refuses: {error}") from error


if __name__ == "__main__":
    sys.exit(main())
