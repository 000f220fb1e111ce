"""The parts of SlimNet as nodes of an ONNX graph."""

from typing import Any, cast

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from slimnet.model import SlimNet

_OPSET, _IR_VERSION = 17, 8  # from 2022, so that older runtimes can read it, too


class Nodes:
    """Nodes and weights of a graph. A value is named after the module that computes it.

    Most methods add nodes or weights, and return the name of the output or of the weights.

    Args:
        folded: the network, with its batch norm folded in.
    """

    def __init__(self, folded: SlimNet) -> None:
        self.folded = folded
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

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
        """Add the named convolution, and ReLU."""
        module = self.convolution(name)
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

    def convolution(self, name: str) -> nn.Conv2d:
        """Return the network's convolution with this name; adds nothing."""
        return cast(nn.Conv2d, self.folded.get_submodule(name))

    def pool(self, x: str, name: str, indices: str = "") -> str:
        """Add 3x3 max-pooling of stride 2; also outputs the winning values' indices, if named."""
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
        """Add a shape for Reshape; -1 is whatever is left over."""
        self.constants.append(numpy_helper.from_array(np.array(sides, np.int64), name))
        return name

    def model(
        self, inputs: dict[str, tuple[int, list[str | int]]], outputs: dict[str, list[str | int]]
    ) -> onnx.ModelProto:
        """Build a model from everything added.

        Args:
            inputs: name -> TensorProto's type, and shape.
            outputs: name -> shape, of float32.
        """
        given = [helper.make_tensor_value_info(name, kind, shape) for name, (kind, shape) in inputs.items()]
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in outputs.items()]
        return helper.make_model(
            helper.make_graph(self.nodes, "SlimNet", given, results, self.constants),
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="slimnet",
        )
