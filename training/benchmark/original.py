"""What the original implementation did, by its published description: the baseline of every ratio."""

from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset
from torchvision.transforms import v2

from slimnet import SlimNet
from training.data.celeba import Split
from training.fit.config import TrainConfig

# The authors' figures at batch 1, in images a second, on machines of 2019.
PUBLISHED = {"CPU": 6.25, "Tesla K80": 13.3}


class OriginalNetwork(SlimNet):
    """The network with separate operations, ReLU before the first pooling, and torch's default memory layout.

    Its arguments and attributes are SlimNet's.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Compute logits.

        Args:
            x: Normalised crops, float32 (N, 3, height, width).

        Returns:
            (N, num_classes).
        """
        x = self.pool(F.relu(self.conv1(x)))
        for number in range(1, self.architecture.slim_modules + 1):
            x = self.pool(self.get_submodule(f"slim{number}")(x))
        return self.fc(self.global_pool(x).flatten(1))


_TRANSFORM = v2.Compose(
    [v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5])]
)


@dataclass(frozen=True)
class OriginalPictures(Dataset[tuple[Tensor, Tensor]]):
    """A dataset that decodes a picture with Pillow each time and normalises it in the worker.

    An item is a crop, float32 (3, height, width), and its labels, float32 (attributes,), 0 or 1.

    Attributes:
        split: Pictures and labels.
    """

    split: Split

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        with Image.open(self.split.paths[index]) as picture:
            x = _TRANSFORM(picture.convert("RGB"))
        return x, torch.from_numpy(self.split.labels[index].astype(np.float32))


class OriginalTraining:
    """Training in the original's way: Adam in float32 on shuffled batches.

    Args:
        split: Pictures and labels to train on.
        config: Its batch size, workers, learning rate and weight decay are used.
        device: Where to train.

    Attributes:
        batch_size: Pictures in a batch: the config's, or all of the split if it has fewer.
        loader: Yields the batches of an epoch.
        device: Where the network is.
        network: A new network, with as many outputs as the split has attributes.
        optimizer: Adam.
    """

    def __init__(self, split: Split, config: TrainConfig, device: torch.device) -> None:
        self.batch_size = min(config.batch_size, len(split))
        self.loader = DataLoader(
            OriginalPictures(split), self.batch_size, shuffle=True, drop_last=True, num_workers=config.num_workers
        )
        self.device = device
        self.network = OriginalNetwork(num_classes=len(split.attributes)).to(device)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), config.learning_rate, weight_decay=config.weight_decay
        )

    def step(self, crops: Tensor, labels: Tensor) -> float:
        """Take one optimizer step.

        Args:
            crops: Normalised, float32 (N, 3, height, width).
            labels: Float32 (N, attributes), 0 or 1.

        Returns:
            The mean binary cross-entropy of the batch before the step.
        """
        logits = self.network(crops.to(self.device))
        loss = F.binary_cross_entropy_with_logits(logits, labels.to(self.device))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()
