"""The files with which a browser reads faces itself: MediaPipe, ONNX Runtime, the face models and the weights.

The two programs come from npm, pinned by package-lock.json, and aren't part of the repository. The script
`demo/browser/device/files.js` fetches the files by these names, all below one address.
"""

import json
from pathlib import Path

from demo.paths import ASSETS, NPM_PACKAGES, PACKAGE_LOCK
from demo.pipeline.mediapipe.face_models import DETECTOR, LANDMARKER
from slimnet import SlimNet
from slimnet.explain import cells
from slimnet.inference import Inference

SIZES = "files.json"  # name -> bytes, so that the page can show how much has arrived
NETWORK = "slimnet.onnx"
FINE_MAPS = "fine_maps.onnx"  # takes its weights from the network's file
EXPLANATION = "explanation.json"  # what all explanations share
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
        DeviceFilesError: an npm package or the package onnx is missing.
        slimnet.CheckpointError: the weights can't be read.
    """
    files = {Path(name).name: _program(NPM_PACKAGES / name) for name in _PROGRAMS}
    files |= {name: (ASSETS / name).read_bytes() for name in (DETECTOR, LANDMARKER)}
    files |= network_files(SlimNet.load_pretrained(weights))
    sizes = {name: len(content) for name, content in files.items()}
    return files | {SIZES: json.dumps(sizes).encode()}


def network_files(model: SlimNet) -> dict[str, bytes]:
    """Write the network, and what explains its answers.

    Args:
        model: of any attributes.

    Returns:
        `NETWORK`, `FINE_MAPS` and `EXPLANATION`, a JSON object: attributes, their names; bias, one for each in
        log-odds; rows and columns, the edges of a fine map's cells, as slimnet.explain.Cells has them.

    Raises:
        DeviceFilesError: the package onnx is missing.
    """
    try:
        from slimnet.onnx.fine_maps import fine_maps_model
        from slimnet.onnx.graph import onnx_model
    except ModuleNotFoundError as error:
        if error.name != "onnx":
            raise
        raise DeviceFilesError("The package onnx is missing: pip install -r requirements.txt") from error
    inference, where = Inference(model), cells(model, refine=True)
    network = onnx_model(inference).SerializeToString()
    explanation = {
        "attributes": model.attributes,
        "bias": (inference.network.fc.bias / inference.temperatures).tolist(),
        "rows": where.rows,
        "columns": where.columns,
    }
    return {
        NETWORK: network,
        FINE_MAPS: fine_maps_model(inference, network, NETWORK).SerializeToString(),
        EXPLANATION: json.dumps(explanation).encode(),
    }


def _program(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        what_to_do = (
            "npm ci --omit=dev in the program's folder installs what browsers need to read faces themselves."
            if PACKAGE_LOCK.is_file()
            else "what browsers need to read faces themselves can be installed in a clone of the repository alone, by "
            "npm ci --omit=dev."
        )
        raise DeviceFilesError(f"{path.name} is missing: {what_to_do}") from error
