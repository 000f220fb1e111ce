"""The network can be used in another project with few packages."""

import subprocess
import sys

from tests.paths import ROOT

# Hides every installed package except the needed ones and their requirements.
PROGRAM = """
import importlib.metadata, re, sys
from collections import defaultdict
from importlib.machinery import PathFinder

NEEDED = ("torch", "torchvision", "numpy", "pillow", "safetensors")

def distributions(names):
    found = set()
    waiting = list(names)
    while waiting:
        name = re.sub("[-_.]+", "-", waiting.pop()).lower()
        try:
            requirements = [] if name in found else importlib.metadata.requires(name) or []
        except importlib.metadata.PackageNotFoundError:
            continue
        found.add(name)
        waiting += [re.match(r"[\\w.-]+", text)[0] for text in requirements if "extra ==" not in text]
    return found

allowed = distributions(NEEDED)
# By the installed files: packages_distributions() of Python 3.10 knows only packages with a top_level.txt.
owners = defaultdict(set)
for distribution in importlib.metadata.distributions():
    name = distribution.metadata["Name"]  # which reads a file
    for file in distribution.files or ():
        owners[file.parts[0].partition(".")[0]].add(name)

class OnlyAllowed(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        owner = {re.sub("[-_.]+", "-", owner).lower() for owner in owners.get(name.partition(".")[0], ())}
        return None if owner and not owner & allowed else super().find_spec(name, path, target)

sys.meta_path = [OnlyAllowed if finder is PathFinder else finder for finder in sys.meta_path]

# First what needs no torchvision, as in every process that serves or annotates: importing it takes as long as importing
# torch.
from slimnet import Predictor
assert Predictor("assets/slimnet_celeba.safetensors", "cpu").engine == "torch"
assert "torchvision" not in sys.modules, "a predictor needs no torchvision"

from importlib.util import find_spec
from PIL import Image
from slimnet import transform
from slimnet.model import SlimNet
model = SlimNet.load_pretrained("assets/slimnet_celeba.safetensors").eval()
assert model(transform(Image.new("RGB", (178, 218))).unsqueeze(0)).shape == (1, 40)
assert not any(map(find_spec, ("huggingface_hub", "onnx", "onnxruntime", "scipy", "cv2"))), "they are not hidden"
"""


def test_the_network_needs_five_packages_and_a_predictor_no_torchvision() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
