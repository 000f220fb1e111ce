"""If a program is killed while it writes a file, the old file or the new one is there, never half a file.

`demo.annotate` and training, which go on where they stopped, are killed in tests of their own.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from slimnet import SlimNet
from slimnet.export import main
from tests.paths import ROOT

# Stands in for `kill -9` at three moments of each write. It forks one process, since starting torch takes seconds.
KILLED = """
import os, signal, sys
from pathlib import Path
from slimnet import SlimNet
from slimnet.export import main
from slimnet.files import checkpoint

folder = Path(sys.argv[1])

def killed(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def write_half(path, data):
    with path.open("wb") as file:
        file.write(data[: len(data) // 2])
    killed()

def save_half(tensors, path, metadata):
    write_half(path, b"not whole")

def replace_and_end(part, target, replace=Path.replace):
    replace(part, target)
    killed()

def write(moment, out):
    if moment == "half":
        checkpoint.save_file, Path.write_bytes = save_half, write_half
    elif moment == "whole":
        os.fsync = killed
    else:
        Path.replace = replace_and_end
    weights = folder / "new.safetensors"
    if out.suffix == ".onnx":
        main(["--weights", str(weights), "--out", str(out)])
    else:
        SlimNet.load_pretrained(weights).save(out)

for moment in ("half", "whole", "in place"):
    for suffix in (".safetensors", ".pth", ".onnx"):
        child = os.fork()
        if not child:
            write(moment, folder / moment / f"w{suffix}")
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""
SUFFIXES = (".safetensors", ".pth", ".onnx")


def files(folder: Path, model: SlimNet) -> dict[str, bytes]:
    """The content of the network's file in each form."""
    folder.mkdir()
    for suffix in (".safetensors", ".pth"):
        model.save(folder / f"w{suffix}")
    assert main(["--weights", str(folder / "w.safetensors"), "--out", str(folder / "w.onnx")]) == 0
    return {f"w{suffix}": (folder / f"w{suffix}").read_bytes() for suffix in SUFFIXES}


@pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX's signals")
def test_a_file_is_the_old_one_or_the_new_one_whenever_its_writer_is_killed(tmp_path: Path) -> None:
    new = SlimNet((4,), (4, 7, 2), 2)
    new.save(tmp_path / "new.safetensors")
    expected = files(tmp_path / "expected", new)
    old = SlimNet((4,), (4, 7, 2), 2)
    before = files(tmp_path / "half", old)
    for moment in ("whole", "in place"):
        files(tmp_path / moment, old)
    run = subprocess.run([sys.executable, "-c", KILLED, tmp_path], cwd=ROOT, capture_output=True, text=True, check=True)
    assert run.stdout.split() == ["-9"] * 9
    for name in before:
        assert (tmp_path / "half" / name).read_bytes() == before[name]
        assert (tmp_path / "whole" / name).read_bytes() == before[name]
        assert (tmp_path / "in place" / name).read_bytes() == expected[name]
