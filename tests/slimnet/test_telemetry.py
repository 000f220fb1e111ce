"""No library reports anything or writes to the home folder. Each gets its own process, since it reads the environment
once, and CI is not set, since some are silent with it. The page itself: tests/demo/test_prove_privacy.py.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from demo.prove_privacy.__main__ import remaining_files, what_is_missing
from demo.prove_privacy.network import in_own_network
from demo.prove_privacy.trace import Activity, read_trace, strace_command
from tests.missing import missing, package
from tests.paths import PORTRAIT, ROOT

WEIGHTS = ROOT / "assets" / "slimnet_celeba.safetensors"
WANTED = {  # set by someone else on this machine
    "GRADIO_ANALYTICS_ENABLED": "True",
    "HF_HUB_DISABLE_TELEMETRY": "0",
    "RAY_USAGE_STATS_ENABLED": "1",
    "ORT_DISABLE_TELEMETRY": "0",
    "DO_NOT_TRACK": "0",
}
WANTED_OF_FASTAPI = {
    "FASTAPI_OTEL_AUTO_CONFIGURE": "true",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9",
    "OTEL_SDK_DISABLED": "false",
}
SETTINGS = {
    "gradio": "from gradio import analytics; print(analytics.analytics_enabled())",
    "huggingface_hub": "from huggingface_hub import constants; print(not constants.HF_HUB_DISABLE_TELEMETRY)",
    "ray": "from ray._common.usage import usage_lib; print(usage_lib.usage_stats_enabled())",
}


def environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in ("CI", "MPLCONFIGDIR")} | more


@pytest.mark.parametrize("package", ["slimnet", "demo", "training", "app"])
def test_every_way_in_switches_reports_off_and_imports_nothing_heavy(package: str) -> None:
    program = f"import os, sys, {package}\nprint([os.environ[name] for name in {list(WANTED)}], 'torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=environment(**WANTED), stdout=-1, text=True)
    assert done.stdout == "['False', '1', '0', '1', '1'] False\n"


@pytest.mark.parametrize("library", list(SETTINGS))
def test_a_library_reads_that_it_is_not_to_report(library: str) -> None:
    package(library, f"needs {library}")
    program = f"import slimnet\n{SETTINGS[library]}"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment(**WANTED), capture_output=True, text=True
    )
    assert done.stdout == "False\n", done.stderr


def test_no_request_to_the_page_is_reported() -> None:
    program = """
from demo.server.command import main
main(["--host", "192.0.2.1"])  # not this machine
from fastapi import FastAPI
from fastapi.testclient import TestClient
with TestClient(FastAPI()) as client:
    print(client.get("/").status_code)
"""
    wanted = environment(**WANTED, **WANTED_OF_FASTAPI)
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=wanted, capture_output=True, text=True)
    assert done.stdout == "404\n", done.stderr
    assert "telemetry" not in done.stderr.lower()  # otherwise it warns that the packages it reports with are missing


@pytest.mark.parametrize("chosen", [{"OTEL_SDK_DISABLED": "false"}, {}])
def test_a_program_that_uses_slimnet_keeps_reports_of_its_own(chosen: dict[str, str]) -> None:
    program = "import os, slimnet\nprint(os.environ.get('OTEL_SDK_DISABLED'))"
    own = {name: value for name, value in environment().items() if name != "OTEL_SDK_DISABLED"} | chosen
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, env=own, stdout=subprocess.PIPE, text=True)
    assert done.stdout == f"{chosen.get('OTEL_SDK_DISABLED')}\n"


@pytest.fixture(scope="module")
def _strace() -> None:
    if why := what_is_missing():
        missing(why)


def observed(tmp_path: Path, *arguments: str) -> tuple[Activity, list[str]]:
    """What Python did with these arguments, and what it left in its home and temporary folder, which were empty."""
    folders = [tmp_path / "home", tmp_path / "tmp"]
    for folder in folders:
        folder.mkdir()
    home, temporary = map(str, folders)
    command = in_own_network(strace_command((sys.executable, *arguments), tmp_path / "trace"))
    quiet = environment(HOME=home, TMPDIR=temporary, PYTHONDONTWRITEBYTECODE="1")
    subprocess.run(command, cwd=ROOT, env=quiet, check=True)
    found = read_trace(tmp_path / "trace", ROOT)
    return found, [str(path) for path in remaining_files(folders, found.written)]


@pytest.mark.usefixtures("_strace")
def test_annotating_reports_nothing_and_writes_its_table_alone(tmp_path: Path) -> None:
    out = tmp_path / "results.csv"
    # This includes its processes: MediaPipe has one of its own, and ONNX Runtime works in both.
    found, remaining = observed(tmp_path, "-m", "demo.annotate", str(PORTRAIT), "--out", str(out), "--device", "cpu")
    assert (found.connections, found.lookups, remaining) == ((), (), [str(out)])
    assert "eileen_collins.jpg" in out.read_text(encoding="utf-8")


@pytest.mark.usefixtures("_strace")
def test_training_writes_its_events_and_pictures_alone(tmp_path: Path) -> None:
    program = f"""
from training.report import plots
from torch.utils.tensorboard import SummaryWriter

with SummaryWriter({str(tmp_path)!r}) as writer:
    writer.add_scalar("loss", 1, 1)
plots.Figure().savefig({str(tmp_path / "figure.png")!r})
"""
    found, remaining = observed(tmp_path, "-c", program)
    assert (found.connections, found.lookups) == ((), ())
    assert [Path(path).name.split(".")[0] for path in remaining] == ["events", "figure"]


def test_names_of_slimnet_come_when_they_are_asked_for() -> None:
    program = """
import sys, slimnet
assert set(slimnet.__all__) <= set(dir(slimnet))
assert "torch" not in sys.modules
from slimnet import SlimNet, transform
assert slimnet.SlimNet is SlimNet is slimnet.model.SlimNet
assert slimnet.preprocessing.transform is transform
from slimnet import *
assert Predictor is slimnet.Predictor and ATTRIBUTES
assert not hasattr(slimnet, "no_such_name")
"""
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)
