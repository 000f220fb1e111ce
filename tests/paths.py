"""Where the files that tests read are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
ASSETS = ROOT / "assets"
EXAMPLES = ASSETS / "examples"
PORTRAIT = EXAMPLES / "eileen_collins.jpg"
OTHER_PORTRAIT = EXAMPLES / "grace_hopper.jpg"  # with glasses
