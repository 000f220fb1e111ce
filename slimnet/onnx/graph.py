"""SlimNet as an ONNX graph.

Written by hand rather than traced by torch's exporter: this takes 0.05 seconds instead of several, so the predictor can
run any weights file this way, and needs only the package `onnx`, with every version of torch.
"""

import json

import onnx
from onnx import TensorProto, helper

from slimnet.explain import cells
from slimnet.inference import Inference
from slimnet.onnx.nodes import Nodes


def onnx_model(inference: Inference) -> onnx.ModelProto:
    """Write a folded network's computation as a model.

    Args:
        inference: the network.

    Returns:
        A model with the input `crops`, uint8 RGB (batch, height, width, 3), and the outputs `logits` and
        `probabilities`, float32 (batch, attributes), `maps`, float32 (batch, attributes, h, w), as in
        slimnet.explain.Explanation, and `features`, float32 (batch, channels, h, w), the last Slim module's
        input before its pooling. Its metadata has SlimNet's as JSON, under "slimnet".
    """
    model = inference.network
    graph = _Graph(inference)
    last_map, pooled, winners = graph.network("crops")
    graph.answers(pooled)
    attributes, rows, columns = len(model.attributes), *graph.maps(last_map, pooled, winners)
    made = graph.model(
        {"crops": (TensorProto.UINT8, ["batch", model.preprocessing.height, model.preprocessing.width, 3])},
        {
            "logits": ["batch", attributes],
            "probabilities": ["batch", attributes],
            "maps": ["batch", attributes, rows, columns],
            "features": ["batch", "channels", "rows", "columns"],
        },
    )
    helper.set_model_props(made, {"slimnet": json.dumps(model.to_checkpoint().metadata)})
    return made


class _Graph(Nodes):
    """The whole network, from crops to answers and maps."""

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference.network)
        self.temperatures = inference.temperatures
        self.cells = cells(self.folded)

    def network(self, crops: str) -> tuple[str, str, str]:
        """Add everything from uint8 crops to the last pooling.

        Returns:
            Names of the last Slim module's output, of the same pooled, and of the winning values' indices.
        """
        x = self.add("Cast", [crops], "float", to=TensorProto.FLOAT)
        x = self.add("Transpose", [x], "planes", perm=[0, 3, 1, 2])
        x = self.pool(self.convolve(x, "conv1.0"), "pool")
        last = self.folded.architecture.slim_modules
        for number in range(1, last):
            x = self.slim(self.pool(x, f"slim{number - 1}.pool") if number > 1 else x, f"slim{number}")
        x = self.add("Identity", [x], "features")
        x = self.slim(self.pool(x, f"slim{last - 1}.pool") if last > 1 else x, f"slim{last}")
        return x, self.pool(x, f"slim{last}.pool", "winners"), "winners"

    def answers(self, pooled: str) -> None:
        """Add `logits` and `probabilities`."""
        x = self.add("Flatten", [self.add("GlobalAveragePool", [pooled], "global_pool")], "global_pool.flat")
        fc = self.folded.fc
        weights = [self.constant("fc.weight", fc.weight), self.constant("fc.bias", fc.bias)]
        logits = self.add("Gemm", [x, *weights], "logits", transB=1)
        tempered = self.add("Div", [logits, self.constant("temperatures", self.temperatures)], "tempered")
        self.add("Sigmoid", [tempered], "probabilities")

    def maps(self, last_map: str, pooled: str, winners: str) -> tuple[int, int]:
        """Add `maps`, dividing logits like slimnet.explain, by their temperatures; returns their rows and columns."""
        rows, columns = len(self.cells.rows) - 1, len(self.cells.columns) - 1
        size = self.add("Reshape", [self.add("Size", [last_map], "size"), self.shape("flat", [-1])], "size.flat")
        flat = [
            self.add("ConstantOfShape", [size], "nothing"),
            *(self.add("Reshape", [name, "flat"], f"{name}.flat") for name in (winners, pooled)),
        ]
        won = self.add("ScatterElements", flat, "won.flat", axis=0, reduction="add")
        weight = self.folded.fc.weight
        won = self.add("Reshape", [won, self.shape("places", [-1, weight.shape[1], rows * columns])], "won")
        shares = weight / self.temperatures[:, None] / (((rows - 1) // 2) * ((columns - 1) // 2))
        found = self.add("MatMul", [self.constant("shares", shares), won], "maps.flat")
        self.add("Reshape", [found, self.shape("map", [-1, weight.shape[0], rows, columns])], "maps")
        return rows, columns
