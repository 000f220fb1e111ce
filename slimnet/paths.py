"""Where to find the weights and other files that are not code."""

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent
_INSTALLED = _PACKAGE / "assets"  # where pyproject.toml puts them in a wheel

ASSETS = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent / "assets"
WEIGHTS = ASSETS / "slimnet_celeba.safetensors"
