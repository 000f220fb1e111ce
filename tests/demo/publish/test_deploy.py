import os
import subprocess
import sys
from pathlib import Path

import pytest
from gradio_client import Client, handle_file
from huggingface_hub import HfApi

from demo.benchmark.server import PageServer
from demo.paths import PREVIEW
from demo.publish import deploy
from demo.publish.deploy import ROOT, DeployError, listing, refusals
from tests.fakes.hub import hub
from tests.missing import missing
from tests.paths import PORTRAIT


def run(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """`python -m demo.deploy`, in a process of its own, since huggingface_hub reads its environment once."""
    without_token = {name: value for name, value in os.environ.items() if not name.startswith(("HF_", "HUGGING"))}
    command = [sys.executable, "-m", "demo.deploy", *arguments]
    return subprocess.run(command, cwd=ROOT, env=without_token | (environment or {}), capture_output=True, text=True)


def tracked(folder: Path, *names: str) -> None:
    """Make a folder a repository that tracks all that is in it, these new files as well."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("")
    for command in (["init", "-q"], ["add", "."]):
        subprocess.run(["git", "-C", folder, *command], check=True)


@pytest.fixture(autouse=True, scope="module")
def _clone() -> None:
    if not (ROOT / ".git").exists():
        missing("demo.deploy needs a clone of the project, since git lists the files")


def test_what_the_hub_receives_starts_as_an_app(tmp_path: Path) -> None:
    space = tmp_path / "space"
    space.mkdir()
    (space / "left_over.py").write_text("of an earlier version")
    with hub(space) as stand_in:
        options = ("--private", "--hardware", "cpu-upgrade")
        done = run("somebody/faces", *options, environment=stand_in.environment(tmp_path / "home"))
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[-1] == f"{stand_in.url}/spaces/somebody/faces"
        asked = {"type": "space", "sdk": "gradio", "hardware": "cpu-upgrade", "visibility": "private"}
        assert asked.items() <= stand_in.created.items()
        assert stand_in.files() == [path.as_posix() for path in listing(ROOT)]
        assert (space / "app.py").read_bytes() == (ROOT / "app.py").read_bytes()
        sent, own = ((folder / "README.md").read_text(encoding="utf-8").split("---\n", 2) for folder in (space, ROOT))
        assert f"/spaces/somebody/faces/resolve/main/{PREVIEW.relative_to(ROOT).as_posix()}\n" in sent[1]
        assert own[1].replace("USER/NAME", "somebody/faces") == sent[1]
        assert own[2] == sent[2]
        assert stand_in.files().count(PREVIEW.relative_to(ROOT).as_posix()) == 1
    with PageServer(("app.py", "--device", "cpu"), tmp_path / "page", root=space) as page:
        answer = Client(page.url, verbose=False).predict(picture=handle_file(PORTRAIT), api_name="/analyse")
        assert len(answer["faces"]) == 1


def test_nothing_is_sent_to_a_public_space_that_should_be_private(tmp_path: Path) -> None:
    (tmp_path / "space").mkdir()
    with hub(tmp_path / "space") as stand_in:
        stand_in.private = False
        done = run("somebody/faces", "--private", environment=stand_in.environment(tmp_path / "home"))
        assert done.returncode == 1
        assert "somebody/faces exists already, and everybody can see it" in done.stderr
        assert (stand_in.created, stand_in.files()) == ({}, [])


def clone_to_start(folder: Path) -> Path:
    """What demo/start.sh needs of this repository."""
    for name in ("demo/start.sh", ".ci/environment", ".ci/packages", "requirements.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((ROOT / name).read_bytes())  # the hub keeps no modes
    return folder


def stand_ins(folder: Path, **scripts: str) -> Path:
    """Programs that are these scripts."""
    folder.mkdir(parents=True)
    for name, script in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def start(clone: Path, programs: Path, *options: str) -> subprocess.CompletedProcess[str]:
    own = os.environ | {"PATH": f"{programs}:{os.environ['PATH']}", "PYTHON": str(programs / "python")}
    return subprocess.run(
        ["bash", "demo/start.sh", *options], cwd=clone, env=own, capture_output=True, encoding="utf-8"
    )


def test_a_clone_of_a_space_starts_though_no_file_in_it_may_be_executed(tmp_path: Path) -> None:
    # A Python without ensurepip, on a Debian that has the package for it.
    programs = stand_ins(
        tmp_path / "programs",
        python='case "$*" in *ensurepip*) exit 1;; *version_info*) exit 0;; esac; echo "asked to $*"; exit 7',
        **{"dpkg-query": 'echo "install ok installed"'},
    )
    done = start(clone_to_start(tmp_path / "clone"), programs)
    assert (done.stdout, done.stderr, done.returncode) == ("asked to -m venv .venv\n", "", 7)


def test_a_second_start_installs_nothing_goes_on_without_npm_and_passes_its_options_on(tmp_path: Path) -> None:
    clone = clone_to_start(tmp_path / "clone")
    (clone / "package-lock.json").touch()
    python = 'case "$*" in *exit*) exit 0;; *version_info*) echo "(3, 11)"; exit 0;; esac; echo "python $*"'
    programs = stand_ins(tmp_path / "programs", python=python, npm="exit 1")
    stand_ins(clone / ".venv" / "bin", python=python, pip='echo "pip $*"')
    first = start(clone, programs)
    assert first.stdout.splitlines()[1:] == [
        "pip install --quiet --disable-pip-version-check -r requirements.txt", "python app.py",
    ]  # fmt: skip
    second = start(clone, programs, "--port", "1")
    assert (second.stdout, second.returncode) == ("python app.py --port 1\n", 0)
    assert "npm ci has failed" in second.stderr


def test_a_dry_run_lists_what_would_go_and_asks_nobody(tmp_path: Path) -> None:
    nobody = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path)}
    done = run("somebody/faces", "--dry-run", environment=nobody)
    assert done.returncode == 0, done.stderr
    *lines, total = done.stdout.splitlines()
    sizes = {name: int(size.replace(",", "")) for size, name in (line.split(maxsplit=1) for line in lines)}
    assert {"README.md", "app.py", "requirements.txt", "assets/slimnet_celeba.safetensors"} <= set(sizes)
    assert sizes["app.py"] == (ROOT / "app.py").stat().st_size
    assert total.split()[:3] == [f"{sum(sizes.values()):,}", "in", str(len(sizes))]


def test_without_a_token_it_says_how_to_get_one(tmp_path: Path) -> None:
    done = run("somebody/faces", environment={"HF_HOME": str(tmp_path)})
    assert done.returncode == 1
    assert "hf auth login" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_the_hub_refuses_is_said_in_its_words(tmp_path: Path) -> None:
    with hub(tmp_path / "space", refusal=(402, "Upgrade to make this Space.")) as stand_in:
        done = run("somebody/faces", environment=stand_in.environment(tmp_path / "home"))
    assert done.returncode == 1
    assert not {"private", "visibility"} & stand_in.created.keys()  # so the owner's settings decide
    assert "Upgrade to make this Space." in done.stderr
    assert "Traceback" not in done.stderr


def test_a_large_file_that_the_hub_does_not_take_is_said(tmp_path: Path) -> None:
    (tmp_path / "space").mkdir()
    with hub(tmp_path / "space") as stand_in:
        stand_in.takes_large = False
        done = run("somebody/faces", environment=stand_in.environment(tmp_path / "home"))
    assert done.returncode == 1
    assert "Hugging Face has not taken a file: Error while uploading" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_hub_out_of_reach_is_said(tmp_path: Path) -> None:
    nobody = {"HF_ENDPOINT": "http://127.0.0.1:9", "HF_HOME": str(tmp_path), "HF_TOKEN": "hf_any"}
    done = run("somebody/faces", environment=nobody)
    assert done.returncode == 1
    assert "cannot be reached at http://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_proxy_that_cannot_be_used_is_said(tmp_path: Path) -> None:
    odd = {"ALL_PROXY": "socks://127.0.0.1:9", "HF_HOME": str(tmp_path), "HF_TOKEN": "hf_any", "NO_PROXY": ""}
    done = run("somebody/faces", environment=odd)
    assert done.returncode == 1
    assert "socks://127.0.0.1:9" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_the_library_refuses_is_not_called_out_of_reach() -> None:
    with pytest.raises(DeployError) as told, deploy._refusals_explained(HfApi()):
        raise ValueError("Invalid metadata in README.md.")
    assert str(told.value) == "huggingface_hub refuses: Invalid metadata in README.md."


@pytest.mark.parametrize("name", ["faces", "some body/faces", "a/b/c"])
def test_a_name_that_no_space_can_have_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert deploy.main([name]) == 2
    assert name in capsys.readouterr().err


def test_a_folder_in_which_git_cannot_tell_whose_a_file_is_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "photo.jpg").write_text("the user's own")
    with pytest.raises(DeployError, match="is no git repository"):
        listing(tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DeployError, match="git is needed"):
        listing(tmp_path)


def test_what_git_does_not_track_stays_here(tmp_path: Path) -> None:
    tracked(tmp_path, "app.py", "demo/server/page.py")
    (tmp_path / "photo.jpg").write_text("the user's own")
    assert [path.as_posix() for path in listing(tmp_path)] == ["app.py", "demo/server/page.py"]


def test_a_repository_that_git_cannot_read_is_named(tmp_path: Path) -> None:
    (tmp_path / ".git").write_text("gitdir: nowhere\n")
    with pytest.raises(DeployError, match=r"git cannot list the files in .*: fatal: "):
        listing(tmp_path)


def test_links_large_files_and_names_that_no_text_holds_are_refused(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/hostname")
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere")
    (tmp_path / "inner").mkdir()
    with (tmp_path / "last.pth").open("wb") as file:
        file.truncate(51 * 2**20)
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.txt")).write_text("")
    (tmp_path / "app.py").write_text("")
    names = ["app.py", "caf\udce9.txt", "inner", "last.pth", "link", "lost"]
    refused = refusals(tmp_path, [Path(name) for name in names])
    assert [sentence.partition(":")[0] for sentence in refused] == [
        "caf\\udce9.txt", "inner", "last.pth", "link", "lost"
    ]  # fmt: skip


def test_what_is_tracked_is_listed_even_if_it_will_be_refused(tmp_path: Path) -> None:
    (tmp_path / "lost").symlink_to(tmp_path / "nowhere")
    tracked(tmp_path, os.fsdecode(b"caf\xe9.txt"), "gone.txt")
    (tmp_path / "gone.txt").unlink()
    assert [str(path) for path in listing(tmp_path)] == ["caf\udce9.txt", "lost"]


@pytest.mark.parametrize(("content", "why"), [(b"# Title\n", "does not begin with"), (b"---\n\xff---\n", "not UTF-8")])
def test_a_readme_that_describes_no_space_is_named(content: bytes, why: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_bytes(content)
    (tmp_path / "space").mkdir()
    program = (
        "import sys; from pathlib import Path; from demo.publish import deploy;"
        f"deploy.upload(Path({str(tmp_path)!r}), [Path('README.md')], 'somebody/faces', private=False, hardware=None)"
    )
    with hub(tmp_path / "space") as stand_in:
        environment = os.environ | stand_in.environment(tmp_path / "home")
        done = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, env=environment, capture_output=True, text=True
        )
        assert "DeployError: README.md cannot describe the Space: it " in done.stderr
        assert why in done.stderr
        assert stand_in.created == {}


def test_what_holds_a_key_is_refused_with_its_place_and_without_the_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "wJalrXUtnFEMI/K7MDENG/" + "bPxRfiCYEXAMPLEKEY"
    (tmp_path / "settings.ini").write_text(f"[default]\nregion = eu\naws_secret_access_key = {key}\n")
    (tmp_path / "prod.env").write_text("")
    tracked(tmp_path)
    monkeypatch.setattr(deploy, "ROOT", tmp_path)
    assert deploy.main(["somebody/faces"]) == 1
    said = capsys.readouterr().err
    assert "prod.env: files of this name hold keys" in said
    assert "settings.ini:3: looks like a secret key of AWS" in said
    assert key not in said


def test_nothing_in_this_repository_is_refused() -> None:
    assert refusals(ROOT, listing(ROOT)) == []
