"""Weights to begin with, and teachers, whose attributes are not quite the data's: outputs are joined by name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from slimnet import ATTRIBUTES, CheckpointError, SlimNet
from slimnet.checkpoint import read


def places(wanted: Sequence[str], known: Sequence[str]) -> list[tuple[int, int]]:
    """The numbers, in wanted and in known, of each name that both have; in the order of wanted."""
    there = {name: number for number, name in enumerate(known)}
    return [(number, there[name]) for number, name in enumerate(wanted) if name in there]


@dataclass(frozen=True)
class Beginning:
    """Weights to begin with. names: of their outputs, in order; named: whether the file itself names them."""

    path: str
    network: SlimNet
    names: tuple[str, ...]
    named: bool

    @classmethod
    def load(cls, path: str, attributes: Sequence[str]) -> Beginning:
        """Read weights for data of these attributes. Raises CheckpointError.

        A .pth file has no names: 40 outputs are CelebA's, and as many as the data's are taken to be these.
        """
        network = SlimNet.load_pretrained(path)
        names = read(path).attributes
        if names is not None:
            return cls(path, network, names, named=True)
        count = network.architecture.num_classes
        names = ATTRIBUTES if count == len(ATTRIBUTES) else tuple(attributes) if count == len(attributes) else ()
        return cls(path, network, names, named=False)

    def give(self, network: SlimNet) -> None:
        """Overwrite a new network's weights, but not the outputs whose names are new.

        Raises CheckpointError when its features are of another shape, or it sees crops in another way.
        """
        mine, theirs = self.network, network
        if replace(mine.architecture, num_classes=theirs.architecture.num_classes) != theirs.architecture:
            raise CheckpointError(f"{self.path} is of another shape: {mine.architecture}, not {theirs.architecture}")
        if mine.preprocessing != theirs.preprocessing:
            raise CheckpointError(f"{self.path} reads crops as {mine.preprocessing}, not as {theirs.preprocessing}")
        state = mine.state_dict()
        joined = places(theirs.attributes, self.names)
        for name in ("fc.weight", "fc.bias"):
            new = theirs.state_dict()[name].clone()
            for number, place in joined:
                new[number] = state[name][place]
            state[name] = new
        theirs.load_state_dict(state)

    def describe(self, attributes: Sequence[str]) -> str:
        """A line on which outputs are joined, and which are new."""
        if not self.names:
            return (
                f"{self.path} names no attributes and has {self.network.architecture.num_classes} outputs for "
                f"{len(attributes)}: its features are kept, and all outputs are new"
            )
        joined = [name for name in attributes if name in self.names]
        new = [name for name in attributes if name not in self.names]
        order = "CelebA's" if self.names == ATTRIBUTES else "the data's"
        source = "by name" if self.named else f"in {order} order, for the file names none"
        return f"{self.path}: outputs joined {source}: {listed(joined)}; new: {listed(new)}"


def listed(names: Sequence[str]) -> str:
    """Names in words, all of them: people look for their own."""
    return f"{', '.join(names)} ({len(names)})" if names else "none"
