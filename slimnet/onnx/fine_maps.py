"""The fine maps of slimnet.explain as an ONNX graph, for programs without torch, such as browsers.

ONNX has no gradients, so we write them out: after the last Slim module but one come only convolutions, sums and ReLU,
whose gradients are convolutions with the same weights, sums and masks.
"""

import onnx
import torch
from onnx import TensorProto
from onnx.external_data_helper import set_external_data

from slimnet.explain import LEAST_EVIDENCE, cells
from slimnet.inference import Inference
from slimnet.onnx.nodes import Nodes

_SMALLEST_SHARED_BYTES = 1024  # smaller tensors take hardly more bytes than a reference to them


def fine_maps_model(inference: Inference, network: bytes, location: str) -> onnx.ModelProto:
    """Write the computation of slimnet.inference.Inference.explain_features as a model.

    Its weights are already in the network's file. The model refers to their places there, as "external data", so that
    nobody has to load them twice.

    Args:
        inference: the network.
        network: the file from `slimnet.onnx.graph.onnx_model` for the same network.
        location: that file's name; this model's file must be beside it.

    Returns:
        A model with the inputs `features`, float32 (1, channels, rows, columns), from the network for a crop, and
        `attributes`, int32 (n,), indices of those to explain. Its output is `maps`, float32 (n, h, w), as in
        slimnet.explain.Explanation.
    """
    graph = _FineMaps(inference)
    rows, columns = graph.sides
    graph.maps("features", "attributes")
    made = graph.model(
        {
            "features": (TensorProto.FLOAT, [1, graph.channels, rows, columns]),
            "attributes": (TensorProto.INT32, ["n"]),
        },
        {"maps": ["n", rows, columns]},
    )
    for tensor in made.graph.initializer:
        length = len(tensor.raw_data)
        offset = network.find(tensor.raw_data)
        if length >= _SMALLEST_SHARED_BYTES and offset >= 0:
            set_external_data(tensor, location, offset, length)
            tensor.ClearField("raw_data")
    return made


class _FineMaps(Nodes):
    """The last Slim module, forward for a crop and backward for each attribute.

    Attributes:
        sides: rows and columns of the features and of a fine map.
        coarse_sides: those of the last Slim module's output.
        channels: of the features.
    """

    def __init__(self, inference: Inference) -> None:
        super().__init__(inference.network)
        self.inference = inference
        fine, coarse = (cells(self.folded, refine) for refine in (True, False))
        self.sides = len(fine.rows) - 1, len(fine.columns) - 1
        self.coarse_sides = len(coarse.rows) - 1, len(coarse.columns) - 1
        self.channels = inference.blank.shape[1]
        self.last = self.folded.architecture.slim_modules
        self.flat, self.second = self.shape("flat", [-1]), self.shape("second", [1])  # for Reshape, and an axis

    def maps(self, features: str, attributes: str) -> str:
        """Add `maps`, dividing the log-odds like slimnet.explain.from_features."""
        x = self.pool(features, "pooled", "places") if self.last > 1 else features
        last_map = self.slim(x, f"slim{self.last}")
        gradient = self.gradient(last_map, attributes)
        coarse = self.add("Mul", [gradient, last_map], "coarse.channels")
        coarse = self.add("ReduceSum", [coarse, self.second], "coarse.map", keepdims=0)
        coarse = self.add("Flatten", [coarse], "coarse")  # (n, places)
        gradient = self.back_slim(gradient, f"slim{self.last}")
        evidence = self.evidence(features, gradient, attributes)
        parts = [self.shared_out(coarse, evidence, "for")]
        coarse, evidence = (self.add("Neg", [name], f"{name}.negative") for name in (coarse, evidence))
        parts.append(self.shared_out(coarse, evidence, "against"))
        logits = self.add("Sub", parts, "logits.flat")
        temperatures = self.constant("temperatures", self.inference.temperatures[:, None])
        temperatures = self.add("Gather", [temperatures, attributes], "temperatures.asked")  # (n, 1)
        found = self.add("Div", [logits, temperatures], "maps.flat")
        return self.add("Reshape", [found, self.shape("map", [-1, *self.sides])], "maps")

    def gradient(self, last_map: str, attributes: str) -> str:
        """Add the gradients of the logits with respect to the last map: (n, channels, h, w)."""
        rows, columns = self.coarse_sides
        channels = self.folded.fc.in_features
        pooled = ((rows - 1) // 2) * ((columns - 1) // 2)
        self.pool(last_map, "last_pooled", "winners")
        shares = [
            self.constant("nothing", torch.zeros(channels * rows * columns)),
            self.add("Reshape", ["winners", self.flat], "winners.flat"),
            self.constant("share", torch.full((channels * pooled,), 1 / pooled)),
        ]
        # A cell may win several poolings, since they overlap.
        won = self.add("ScatterElements", shares, "won.flat", axis=0, reduction="add")
        won = self.add("Reshape", [won, self.shape("last_map", [1, channels, rows, columns])], "won")
        weight = self.add("Gather", [self.constant("fc.weight", self.folded.fc.weight), attributes], "weight.flat")
        weight = self.add("Reshape", [weight, self.shape("weights", [-1, channels, 1, 1])], "weight")
        return self.add("Mul", [weight, won], "gradient")

    def evidence(self, features: str, gradient: str, attributes: str) -> str:
        """Add the gradient times the features' difference from a blank crop's, for each place: (n, places).

        Args:
            features: (1, channels, h, w).
            gradient: of the logits, with respect to the features after their pooling, if they have one.
            attributes: (n,).
        """
        difference = self.add("Sub", [features, self.constant("blank", self.inference.blank)], "difference")
        if self.last == 1:
            evidence = self.add("Mul", [gradient, difference], "evidence.channels")
            evidence = self.add("ReduceSum", [evidence, self.second], "evidence.map", keepdims=0)
            return self.add("Flatten", [evidence], "evidence")
        rows, columns = self.sides
        # Only values that won a pooling have a gradient; "places" says where each is among all values.
        difference = self.add("Reshape", [difference, self.flat], "difference.flat")
        won = self.add("Mul", [gradient, self.add("Gather", [difference, "places"], "difference.won")], "evidence.won")
        won = self.add("Flatten", [won], "evidence.won.flat")
        cell = self.add("Mod", ["places", self.shape("cells", [rows * columns])], "cell")
        cell = self.add("Flatten", [cell], "cell.flat")
        cell = self.add("Expand", [cell, self.add("Shape", [won], "won.shape")], "cell.each")
        sides = [self.add("Shape", [attributes], "asked"), "cells"]
        nothing = self.add("ConstantOfShape", [self.add("Concat", sides, "evidence.shape", axis=0)], "evidence.nothing")
        return self.add("ScatterElements", [nothing, cell, won], "evidence", axis=1, reduction="add")

    def shared_out(self, coarse: str, evidence: str, sign: str) -> str:
        """Divide the positive part of each coarse map in proportion to the positive evidence: (n, places)."""
        sums = self.add("Relu", [coarse], f"coarse.{sign}")
        sums = self.add("ReduceSum", [sums, self.second], f"coarse.{sign}.sum")
        weights = self.add("Relu", [evidence], f"evidence.{sign}")
        least = self.constant(f"least.{sign}", torch.tensor(LEAST_EVIDENCE))
        weights = self.add("Add", [weights, least], f"weights.{sign}")
        total = self.add("ReduceSum", [weights, self.second], f"weights.{sign}.sum")
        shares = self.add("Div", [weights, total], f"shares.{sign}")
        return self.add("Mul", [shares, sums], f"fine.{sign}")

    def back_slim(self, gradient: str, name: str) -> str:
        """Add the gradient of a Slim module's input, from that of its output."""
        gradient = self.back_sse(self.back_separable(gradient, f"{name}.expand3_dw"), f"{name}.sse2")
        parts = [self.back_sse(gradient, f"{name}.sse1"), self.back(gradient, f"{name}.skip_projection.0")]
        return self.add("Add", parts, f"{name}.gradient")

    def back_sse(self, gradient: str, name: str) -> str:
        """Add the gradient of an SSE block's input."""
        halves = [f"{name}.gradient.{part}" for part in ("expand3_dw", "expand1")]
        self.add("Split", [gradient], halves[0], axis=1)
        self.nodes[-1].output.append(halves[1])
        parts = [self.back_separable(halves[0], f"{name}.expand3_dw"), self.back(halves[1], f"{name}.expand1.0")]
        return self.back(self.add("Add", parts, f"{name}.squeezed.gradient"), f"{name}.squeeze.0")

    def back_separable(self, gradient: str, name: str) -> str:
        """Add the gradient of the input of a depthwise and a pointwise convolution."""
        return self.back(self.back(gradient, f"{name}.3"), f"{name}.0")

    def back(self, gradient: str, name: str) -> str:
        """Add the gradient of the named convolution's input, from that of its ReLU's output."""
        module = self.convolution(name)
        passing = self.add("Sign", [f"{name}.relu"], f"{name}.passing")
        gradient = self.add("Mul", [gradient, passing], f"{name}.relu.gradient")
        if module.kernel_size == (1, 1):
            return self.add("ConvTranspose", [gradient, f"{name}.weight"], f"{name}.gradient", kernel_shape=[1, 1])
        # Depthwise: turned by 180 degrees, which runtimes compute faster than ConvTranspose.
        turned = module.weight.unflatten(0, (module.groups, -1)).squeeze(2).flip(2, 3)
        weight = self.constant(f"{name}.turned", turned)
        return self.add(
            "Conv",
            [gradient, weight],
            f"{name}.gradient",
            kernel_shape=[3, 3],
            pads=[1, 1, 1, 1],
            group=module.groups,
        )
