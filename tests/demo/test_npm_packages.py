import logging
from pathlib import Path

import pytest

from demo import npm_packages as module
from demo.npm_packages import install_on_space


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An npm that notes how it is called and installs one package, on a Space."""
    program = tmp_path / "bin" / "npm"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\necho "$@" >>calls\nmkdir -p node_modules/onnxruntime-web\n', encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    monkeypatch.setenv("SPACE_ID", "USER/NAME")
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr(module, "NPM_PACKAGES", tmp_path / "node_modules")
    return program


def test_a_space_installs_them_at_its_first_start_alone(npm: Path) -> None:
    install_on_space()
    install_on_space()
    (call,) = (npm.parent.parent / "calls").read_text(encoding="utf-8").splitlines()
    assert call.startswith("ci --omit=dev")


def test_elsewhere_nothing_is_installed_unasked(npm: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SPACE_ID")
    install_on_space()
    assert not (npm.parent.parent / "calls").exists()


@pytest.mark.parametrize("script", ["#!/bin/sh\necho no network >&2\nexit 1\n", "no program", None])
def test_where_npm_is_missing_or_fails_the_log_says_so(
    npm: Path, script: str | None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    if script is None:
        monkeypatch.setenv("PATH", str(npm.parent.parent))
    else:
        npm.write_text(script, encoding="utf-8")
    with caplog.at_level(logging.WARNING):
        install_on_space()
    assert "faces are read by the server alone" in caplog.text
    assert "no network" not in (script or "") or "no network" in caplog.text
