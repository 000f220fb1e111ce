import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from demo.prove_privacy import __main__ as command
from demo.prove_privacy import trace
from demo.prove_privacy.network import in_own_network
from demo.prove_privacy.trace import Activity, TraceError, read_trace, strace_command
from tests.missing import missing
from tests.paths import ROOT


@pytest.fixture(autouse=True, scope="module")
def _strace() -> None:
    if why := command.what_is_missing():
        missing(why)


# Does everything that must be noticed. It reaches nothing: there is only the program itself in its own network.
CULPRIT = r"""
import os, socket, subprocess, sys
from contextlib import suppress

from demo.prove_privacy.network import connect_to_itself

folder = sys.argv[1]
query = bytes(12) + b"\6report\7example\0\0\1\0\1"
with suppress(OSError):
    socket.create_connection(("192.0.2.7", 443))
with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as post, suppress(OSError):
    post.sendto(b"used", ("2001:db8::7", 4318))
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver, suppress(OSError):
    resolver.connect(("192.0.2.53", 53))
with suppress(OSError):
    socket.getaddrinfo("statistics.example", 443)
connect_to_itself()
with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
    pass  # both are this machine
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as resolver, suppress(OSError):
    resolver.connect(("127.0.0.1", 53))
    resolver.send(query)
open(f'{folder}/left, "= 0', "w").close()
os.mkdir(f"{folder}/empty")
open(f"{folder}/draft", "w").close()
os.rename(f"{folder}/draft", f"{folder}/final")
open("/dev/null", "w").close()
with open(f"{folder}/gone", "w"):
    os.remove(f"{folder}/gone")
subprocess.run(["touch", "by another program"], cwd=folder, check=True)
"""


def test_nothing_leaves_and_nothing_stays() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "demo.prove_privacy", "--seconds", "8"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.splitlines()[-1:] == ["0 connections, 0 look-ups, 0 files"], done.stdout + done.stderr
    assert done.returncode == 0


def culprit(folder: Path) -> tuple[str, ...]:
    return in_own_network(strace_command((sys.executable, "-c", CULPRIT, str(folder)), folder.parent / "trace"))


def test_what_a_program_does_is_noticed(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    subprocess.run(culprit(folder), cwd=ROOT, check=True)
    found = read_trace(tmp_path / "trace", ROOT)
    assert found.connections == ("192.0.2.7 port 443", "2001:db8::7 port 4318")
    assert "report.example" in found.lookups
    names = {path.name for path in found.written if path.is_relative_to(folder)}
    assert names == {'left, "= 0', "empty", "draft", "final", "gone", "by another program"}
    remaining = {path.name for path in command.remaining_files((folder,), found.written) if path.is_relative_to(folder)}
    assert remaining == names - {"draft", "gone"}


def test_a_look_up_that_reaches_nobody_is_noticed(tmp_path: Path) -> None:
    program = "import socket\ntry: socket.getaddrinfo('statistics.example', 443)\nexcept OSError: pass"
    subprocess.run(in_own_network(strace_command((sys.executable, "-c", program), tmp_path / "trace")), check=True)
    assert read_trace(tmp_path / "trace", tmp_path).lookups


def test_where_strace_wrote_nothing_or_not_to_its_end_there_is_no_proof(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(trace, "_END_SECONDS", 0.2)
    with pytest.raises(TraceError, match="nothing"):
        read_trace(tmp_path / "trace", tmp_path)
    (tmp_path / "trace.1").write_text("+++ exited with 0 +++\n")
    (tmp_path / "trace.2").write_text("execve(0) = 0\n")
    with pytest.raises(TraceError, match="still running"):
        read_trace(tmp_path / "trace", tmp_path)


def test_a_violation_is_named_and_makes_the_status_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def instead(served: Sequence[str]) -> tuple[str, ...]:
        if len(served) == 1:  # it checks that this works at all
            return in_own_network(served)
        folder = Path(served[3], "home")
        folder.mkdir()
        return culprit(folder)

    monkeypatch.setattr(command, "in_own_network", instead)
    assert command.main([]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert "connected to 192.0.2.7 port 443" in lines
    assert "looked up report.example" in lines
    assert any(line.startswith("left ") and line.endswith("/home/final") for line in lines)
    assert any(line.startswith("written meanwhile, and removed: ") and line.endswith("/home/gone") for line in lines)
    assert lines[-1].startswith("2 connections, ")


def test_a_page_that_is_not_served_is_no_proof(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(
        command, "in_own_network", lambda served: in_own_network(("true",) if len(served) == 1 else ("false",))
    )
    assert command.main([]) == 2
    assert "could not be watched" in capsys.readouterr().err


def test_without_strace_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert command.main([]) == 2
    assert "apt-get install strace" in capsys.readouterr().err


def test_one_of_a_kind_is_said_as_such() -> None:
    found = Activity(("192.0.2.7 port 443",), (), ())
    assert command.report(found, ()) == "connected to 192.0.2.7 port 443\n1 connection, 0 look-ups, 0 files"
