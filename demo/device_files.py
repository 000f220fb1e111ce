"""The files with which a browser reads faces itself: MediaPipe, ONNX Runtime, the face models and the weights.

The two programs come from npm, as package-lock.json pins them, and are no part of the repository. They are asked for by
`demo/browser/device/files.js`, below one address and by these names.
"""

import json
from pathlib import Path

from demo.paths import ASSETS, NPM_PACKAGES
from demo.pipeline.mediapipe.face_models import DETECTOR, LANDMARKER
from slimnet import SlimNet

SIZES = "files.json"  # name -> bytes, so that the page can say how much of them has arrived
NETWORK = "slimnet.onnx"
_PROGRAMS = (
    "@mediapipe/tasks-vision/vision_bundle.mjs",
    "@mediapipe/tasks-vision/wasm/vision_wasm_module_internal.js",
    "@mediapipe/tasks-vision/wasm/vision_wasm_module_internal.wasm",
    "onnxruntime-web/dist/ort.wasm.bundle.min.mjs",
    "onnxruntime-web/dist/ort-wasm-simd-threaded.wasm",
)


class DeviceFilesError(RuntimeError):
    """The programs for the browser are not installed; the message says what to do."""


def device_files(weights: str | Path) -> dict[str, bytes]:
    """Read the files, and write the network as ONNX.

    Args:
        weights: SlimNet's weights, of any attributes.

    Returns:
        Name -> content; the names hold no folder. `SIZES` is among them.

    Raises:
        DeviceFilesError: a package of npm or the package onnx is missing.
        slimnet.CheckpointError: the weights cannot be read.
    """
    try:
        from slimnet.onnx.graph import onnx_model
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        raise DeviceFilesError("The package onnx is missing: pip install -r requirements.txt") from error
    files = {Path(name).name: _program(NPM_PACKAGES / name) for name in _PROGRAMS}
    files |= {name: (ASSETS / name).read_bytes() for name in (DETECTOR, LANDMARKER)}
    files[NETWORK] = onnx_model(SlimNet.load_pretrained(weights)).SerializeToString()
    sizes = {name: len(content) for name, content in files.items()}
    return files | {SIZES: json.dumps(sizes).encode()}


def _program(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DeviceFilesError(
            f"{path.name} is missing: npm ci --omit=dev in the program's folder installs what "
            "browsers need to read faces themselves."
        ) from error
