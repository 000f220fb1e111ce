"""Where the files stand that the demo reads."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"
WEIGHTS = ASSETS / "slimnet_celeba.safetensors"
EXAMPLES = ASSETS / "examples"
EVALUATION = ASSETS / "evaluation" / "evaluation.json"
BROWSER = ROOT / "demo" / "browser"
