"""The original implementation's network, written a second time from its checkpoints, with names, shapes and plain
function calls: the tests compare SlimNet with something that shares no code with it."""

import torch
from torch import Tensor
from torch.nn import functional as F


def state_dict(
    stem: int = 96, counts: tuple[int, ...] = (16, 32, 48, 64), classes: int = 40, multiplier: int = 1
) -> dict:
    """Random weights under the original's names, in its order."""
    generator = torch.Generator().manual_seed(7)
    state: dict[str, Tensor] = {}

    def conv(name: str, outputs: int, inputs: int, size: int, bias: bool) -> None:
        spread = (inputs * size * size) ** -0.5
        state[f"{name}.weight"] = torch.randn(outputs, inputs, size, size, generator=generator) * spread * 1.5
        if bias:
            state[f"{name}.bias"] = torch.randn(outputs, generator=generator) * 0.1

    def norm(name: str, channels: int) -> None:
        state[f"{name}.weight"] = torch.rand(channels, generator=generator) * 2 - 0.5  # some are negative
        state[f"{name}.bias"] = torch.randn(channels, generator=generator) * 0.3
        state[f"{name}.running_mean"] = torch.randn(channels, generator=generator) * 0.2
        state[f"{name}.running_var"] = torch.rand(channels, generator=generator) + 0.5
        state[f"{name}.num_batches_tracked"] = torch.tensor(12)

    def separable(name: str, inputs: int, outputs: int) -> None:
        conv(f"{name}.0", inputs * multiplier, 1, 3, bias=False)
        norm(f"{name}.1", inputs * multiplier)
        conv(f"{name}.3", outputs, inputs * multiplier, 1, bias=False)
        norm(f"{name}.4", outputs)

    conv("conv1.0", stem, 3, 7, bias=True)
    norm("conv1.1", stem)
    inputs = stem
    for number, f in enumerate(counts, start=1):
        conv(f"slim{number}.skip_projection.0", 8 * f, inputs, 1, bias=False)
        norm(f"slim{number}.skip_projection.1", 8 * f)
        for block, width in (("sse1", inputs), ("sse2", 8 * f)):
            conv(f"slim{number}.{block}.squeeze.0", f, width, 1, bias=True)
            norm(f"slim{number}.{block}.squeeze.1", f)
            conv(f"slim{number}.{block}.expand1.0", 4 * f, f, 1, bias=True)
            norm(f"slim{number}.{block}.expand1.1", 4 * f)
            separable(f"slim{number}.{block}.expand3_dw", f, 4 * f)
        separable(f"slim{number}.expand3_dw", 8 * f, 3 * f)
        inputs = 3 * f
    state["fc.weight"] = torch.randn(classes, inputs, generator=generator) * 0.1
    state["fc.bias"] = torch.randn(classes, generator=generator) * 0.1
    return state


def checkpoint(state: dict, stored_multiplier: int = 1, **extra: object) -> dict:
    """The content of a checkpoint file, as the original writes it."""
    counts = [
        state[f"slim{n}.sse1.squeeze.0.bias"].shape[0]
        for n in range(1, 1 + sum("skip_projection.0" in k for k in state))
    ]
    return {
        "hyper_params": {
            "filter_count_values": counts,
            "initial_conv": [state["conv1.0.bias"].shape[0], 7, 2],
            "num_classes": state["fc.bias"].shape[0],
            "depth_multiplier": stored_multiplier,
        },
        "model_state_dict": state,
        **extra,
    }


def logits(state: dict[str, Tensor], x: Tensor) -> Tensor:
    """What the original computes in evaluation mode, in its own order of operations."""

    def conv_norm_relu(x: Tensor, conv: str, norm: str, **options: int) -> Tensor:
        x = F.conv2d(x, state[f"{conv}.weight"], state.get(f"{conv}.bias"), **options)
        mean, variance, weight, bias = (
            state[f"{norm}.{name}"] for name in ("running_mean", "running_var", "weight", "bias")
        )
        return F.relu(F.batch_norm(x, mean, variance, weight, bias))

    def separable(x: Tensor, name: str) -> Tensor:
        x = conv_norm_relu(x, f"{name}.0", f"{name}.1", padding=1, groups=x.shape[1])
        return conv_norm_relu(x, f"{name}.3", f"{name}.4")

    def sse(x: Tensor, name: str) -> Tensor:
        x = conv_norm_relu(x, f"{name}.squeeze.0", f"{name}.squeeze.1")
        wide = conv_norm_relu(x, f"{name}.expand1.0", f"{name}.expand1.1")
        return torch.cat([separable(x, f"{name}.expand3_dw"), wide], dim=1)

    x = F.max_pool2d(conv_norm_relu(x, "conv1.0", "conv1.1", stride=2), 3, 2)
    number = 1
    while f"slim{number}.skip_projection.0.weight" in state:
        name = f"slim{number}"
        skip = conv_norm_relu(x, f"{name}.skip_projection.0", f"{name}.skip_projection.1")
        x = sse(sse(x, f"{name}.sse1") + skip, f"{name}.sse2")
        x = F.max_pool2d(separable(x, f"{name}.expand3_dw"), 3, 2)
        number += 1
    return F.linear(x.mean(dim=(2, 3)), state["fc.weight"], state["fc.bias"])
