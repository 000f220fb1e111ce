"""SlimNet as an ONNX graph.

Written by hand rather than traced by torch's exporter: this takes 0.05 seconds instead of several, so the predictor can
run any weights file this way, and needs only the package `onnx`, with every version of torch.
"""

import json
from typing import Any, cast

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from slimnet.explain import cells
from slimnet.inference import Inference
from slimnet.model import SlimNet

_OPSET, _IR_VERSION = 17, 8  # of 2022, so that older runtimes read it too


def onnx_model(model: SlimNet) -> onnx.ModelProto:
    """Write down what slimnet.inference.Inference computes.

    Args:
        model: any SlimNet; it is left as it is.

    Returns:
        A model with the input `crops`, uint8 RGB (batch, height, width, 3), and the outputs `logits` and
        `probabilities`, float32 (batch, attributes), `maps`, float32 (batch, attributes, h, w), as
        slimnet.explain.Explanation has them, and `features`, float32 (batch, channels, h, w), the last Slim module's
        input before its pooling. Its metadata holds SlimNet's as JSON, under "slimnet".
    """
    inference = Inference(model)
    graph = _Graph(inference)
    last_map, pooled, winners = graph.network("crops")
    graph.answers(pooled)
    attributes, rows, columns = len(model.attributes), *graph.maps(last_map, pooled, winners)
    crops: list[str | int] = ["batch", model.preprocessing.height, model.preprocessing.width, 3]
    results: dict[str, list[str | int]] = {
        "logits": ["batch", attributes],
        "probabilities": ["batch", attributes],
        "maps": ["batch", attributes, rows, columns],
        "features": ["batch", "channels", "rows", "columns"],
    }
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "SlimNet",
            [helper.make_tensor_value_info("crops", TensorProto.UINT8, crops)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in results.items()],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="slimnet",
    )
    helper.set_model_props(made, {"slimnet": json.dumps(model.to_checkpoint().metadata)})
    return made


class _Graph:
    """Nodes and weights of a folded network. A value has the name of the module that computes it.

    Each method adds nodes and returns the name of their output.
    """

    def __init__(self, inference: Inference) -> None:
        self.folded, self.temperatures = inference.network, inference.temperatures
        self.cells = cells(self.folded)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def network(self, crops: str) -> tuple[str, str, str]:
        """Add everything from uint8 crops to the last pooling.

        Returns:
            Names of the last Slim module's output, of that pooled, and of the indices of the values that won.
        """
        x = self.add("Cast", [crops], "float", to=TensorProto.FLOAT)
        x = self.add("Transpose", [x], "planes", perm=[0, 3, 1, 2])
        x = self.pool(self.convolve(x, "conv1.0"), "pool")
        last = len(self.folded.architecture.filter_count_values)
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
        """Add `maps`, as slimnet.explain divides the logits, by their temperatures; returns their rows and columns."""
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

    def slim(self, x: str, name: str) -> str:
        """Add a Slim module."""
        x = self.add("Add", [self.sse(x, f"{name}.sse1"), self.convolve(x, f"{name}.skip_projection.0")], f"{name}.sum")
        return self.separable(self.sse(x, f"{name}.sse2"), f"{name}.expand3_dw")

    def sse(self, x: str, name: str) -> str:
        """Add an SSE block."""
        x = self.convolve(x, f"{name}.squeeze.0")
        parts = [self.separable(x, f"{name}.expand3_dw"), self.convolve(x, f"{name}.expand1.0")]
        return self.add("Concat", parts, name, axis=1)

    def separable(self, x: str, name: str) -> str:
        """Add a depthwise and a pointwise convolution, each with ReLU."""
        return self.convolve(self.convolve(x, f"{name}.0"), f"{name}.3")

    def convolve(self, x: str, name: str) -> str:
        """Add the convolution of that name, and ReLU."""
        module = cast(nn.Conv2d, self.folded.get_submodule(name))
        weights = (
            self.constant(f"{name}.weight", module.weight),
            self.constant(f"{name}.bias", cast(Tensor, module.bias)),
        )
        x = self.add(
            "Conv",
            [x, *weights],
            name,
            kernel_shape=module.kernel_size,
            strides=module.stride,
            pads=cast(tuple[int, ...], module.padding) * 2,
            group=module.groups,
        )
        return self.add("Relu", [x], f"{name}.relu")

    def pool(self, x: str, name: str, indices: str = "") -> str:
        """Add 3x3 max-pooling of stride 2; also of the indices of the values that won, if they have a name."""
        self.add("MaxPool", [x], name, kernel_shape=[3, 3], strides=[2, 2])
        if indices:
            self.nodes[-1].output.append(indices)
        return name

    def add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node."""
        self.nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def constant(self, name: str, value: Tensor) -> str:
        """Add a tensor of weights."""
        self.constants.append(numpy_helper.from_array(value.detach().contiguous().numpy(), name))
        return name

    def shape(self, name: str, sides: list[int]) -> str:
        """Add a shape for Reshape; -1 is what is left over."""
        self.constants.append(numpy_helper.from_array(np.array(sides, np.int64), name))
        return name
