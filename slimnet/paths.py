"""Where the weights are, and the other files that are no code."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "assets"  # where pyproject.toml puts them in a wheel

ASSETS = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "assets"
WEIGHTS = ASSETS / "slimnet_celeba.safetensors"
