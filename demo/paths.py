"""The paths of the files that the demo reads."""

from pathlib import Path

from slimnet import paths

ROOT = Path(__file__).resolve().parent.parent
ASSETS = paths.ASSETS
WEIGHTS = paths.WEIGHTS
EXAMPLES = ASSETS / "examples"
EVALUATION = ASSETS / "evaluation" / "evaluation.json"
OUTSIDE = ASSETS / "evaluation" / "outside.json"
MAPS = ASSETS / "evaluation" / "maps.json"
CONDITIONS = ASSETS / "evaluation" / "conditions.json"
PREVIEW = ASSETS / "screenshots" / "preview.png"  # shown with links to the page
BROWSER = ROOT / "demo" / "browser"
PACKAGE_LOCK = ROOT / "package-lock.json"  # not in a wheel
NPM_PACKAGES = ROOT / "node_modules"  # what the lock pins, if installed
