"""SlimNet as an ONNX graph.

Written by hand rather than traced by torch's exporter: this takes 0.05 seconds instead of several, so the predictor can
run any weights file this way, and needs only the package `onnx`, with every version of torch.
"""

import json
from typing import Any, cast

import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from slimnet.inference import Inference
from slimnet.model import SlimNet

_OPSET, _IR_VERSION = 17, 8  # of 2022, so that older runtimes read it too


def onnx_model(model: SlimNet) -> onnx.ModelProto:
    """Write down what slimnet.inference.Inference computes.

    Args:
        model: any SlimNet; it is left as it is.

    Returns:
        A model with the input `crops`, uint8 RGB (batch, height, width, 3), and the outputs `logits` and
        `probabilities`, float32 (batch, attributes). Its metadata holds SlimNet's as JSON, under "slimnet".
    """
    inference = Inference(model)
    graph = _Graph(inference.network)
    logits = graph.network("crops")
    tempered = graph.add("Div", [logits, graph.constant("temperatures", inference.temperatures)], "tempered")
    graph.add("Sigmoid", [tempered], "probabilities")
    crops: list[str | int] = ["batch", model.preprocessing.height, model.preprocessing.width, 3]
    results: list[str | int] = ["batch", len(model.attributes)]
    made = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "SlimNet",
            [helper.make_tensor_value_info("crops", TensorProto.UINT8, crops)],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, results) for name in ("logits", "probabilities")],
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

    def __init__(self, folded: SlimNet) -> None:
        self.folded = folded
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def network(self, crops: str) -> str:
        """Add everything from uint8 crops to the logits."""
        x = self.add("Cast", [crops], "float", to=TensorProto.FLOAT)
        x = self.add("Transpose", [x], "planes", perm=[0, 3, 1, 2])
        x = self.pool(self.convolve(x, "conv1.0"), "pool")
        for number in range(1, len(self.folded.architecture.filter_count_values) + 1):
            x = self.pool(self.slim(x, f"slim{number}"), f"slim{number}.pool")
        x = self.add("Flatten", [self.add("GlobalAveragePool", [x], "global_pool")], "features")
        fc = self.folded.fc
        return self.add(
            "Gemm", [x, self.constant("fc.weight", fc.weight), self.constant("fc.bias", fc.bias)], "logits", transB=1
        )

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

    def pool(self, x: str, name: str) -> str:
        """Add 3x3 max-pooling of stride 2."""
        return self.add("MaxPool", [x], name, kernel_shape=[3, 3], strides=[2, 2])

    def add(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Add a node."""
        self.nodes.append(helper.make_node(operator, inputs, [output], output, **attributes))
        return output

    def constant(self, name: str, value: Tensor) -> str:
        """Add a tensor of weights."""
        self.constants.append(numpy_helper.from_array(value.detach().contiguous().numpy(), name))
        return name
