"""Installs what package-lock.json pins for browsers on a Hugging Face Space, where no set-up command does."""

import logging
import os
import shutil
import subprocess

from demo.paths import NPM_PACKAGES, ROOT

_LOG = logging.getLogger(__name__)
_COMMAND = ("ci", "--omit=dev", "--no-audit", "--no-fund")
_TIMEOUT_SECONDS = 300


def install_on_space() -> None:
    """Have npm install the packages at a Space's first start; if it can't, the page works without them."""
    if not os.environ.get("SPACE_ID") or (NPM_PACKAGES / "onnxruntime-web").is_dir():
        return
    npm = shutil.which("npm")
    if npm is None:
        _LOG.warning("There is no npm here: faces are read by the server alone.")
        return
    try:
        subprocess.run((npm, *_COMMAND), cwd=ROOT, check=True, capture_output=True, timeout=_TIMEOUT_SECONDS)
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or b""
        _LOG.warning("%s: faces are read by the server alone.\n%s", error, said.decode(errors="replace").strip())
