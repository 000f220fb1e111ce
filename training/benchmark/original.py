"""What the original implementation did, by its published description: the baseline of every ratio."""

from __future__ import annotations

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

# What its authors state, at batch 1, in images a second; on machines of 2019.
PUBLISHED = {"CPU": 6.25, "Tesla K80": 13.3}


class OriginalNetwork(SlimNet):
    """The network with each operation on its own, ReLU before the first pooling, in memory as torch lays it out."""

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(F.relu(self.conv1(x)))
        for number in range(1, len(self.architecture.filter_count_values) + 1):
            x = self.pool(self.get_submodule(f"slim{number}")(x))
        return self.fc(self.global_pool(x).flatten(1))


_TRANSFORM = v2.Compose(
    [v2.PILToTensor(), v2.ToDtype(torch.float32, scale=True), v2.Normalize(mean=[0.5, 0.5, 0.5], std=[0.5, 0.5, 0.5])]
)


@dataclass(frozen=True)
class OriginalPictures(Dataset[tuple[Tensor, Tensor]]):
    """Decodes a picture with Pillow each time and normalises it in the worker: float32 (3, height, width)."""

    split: Split

    def __len__(self) -> int:
        return len(self.split)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        with Image.open(self.split.paths[index]) as picture:
            x = _TRANSFORM(picture.convert("RGB"))
        return x, torch.from_numpy(self.split.labels[index].astype(np.float32))


class OriginalTraining:
    """Adam in float32 on batches of its default size."""

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
        """One step on float32 (n, 3, H, W) and (n, attributes); the loss."""
        logits = self.network(crops.to(self.device))
        loss = F.binary_cross_entropy_with_logits(logits, labels.to(self.device))
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.item()
