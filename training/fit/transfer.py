"""Initial weights and teachers with other attributes than the data: matches outputs by name."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from slimnet import ATTRIBUTES, CheckpointError
from slimnet.files.checkpoint import read
from training.data.columns import listed, places
from training.networks.mobilenet import MobileNet
from training.networks.network import Network, load_network


@dataclass(frozen=True)
class Beginning:
    """Initial weights.

    Args:
        path: Their file.
        network: Network with these weights.
        names: Names of its outputs, in order; empty if they cannot be known.
        named: Whether the file itself names the outputs.
    """

    path: str
    network: Network
    names: tuple[str, ...]
    named: bool

    @classmethod
    def load(cls, path: str, attributes: Sequence[str]) -> "Beginning":
        """Read initial weights.

        A .pth file has no names: 40 outputs are assumed to be CelebA's, another number the data's if it has as many.

        Args:
            path: Weights file, .safetensors or .pth.
            attributes: The data's attributes.

        Raises:
            CheckpointError: The file cannot be read.
        """
        network = load_network(path)
        names = network.attributes if isinstance(network, MobileNet) else read(path).attributes
        if names is not None:
            return cls(path, network, names, named=True)
        count = network.architecture.num_classes
        names = ATTRIBUTES if count == len(ATTRIBUTES) else tuple(attributes) if count == len(attributes) else ()
        return cls(path, network, names, named=False)

    def give(self, network: Network) -> None:
        """Copy the weights into a new network, except for outputs whose names these weights lack.

        Args:
            network: Network to overwrite.

        Raises:
            CheckpointError: The network has another architecture or preprocessing.
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
        """Describe in one line which outputs are kept, and which are new.

        Args:
            attributes: The data's attributes.
        """
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
