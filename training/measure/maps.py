"""Whether the maps of slimnet.explain look where an attribute is, and whether what they show matters to the answer.

- Energy-based pointing game (Wang et al., Score-CAM, arXiv 1910.01279): the share of the positive evidence that lies in
  the attribute's region, here divided by the region's share of the crop: 1 is no better than chance.
- Deletion and insertion (Petsiuk et al., RISE, arXiv 1806.07421): how far the probability falls if the places that
  spoke most for the attribute are blanked first, and how far it gets if only they are shown.
- Randomisation (Adebayo et al., arXiv 1810.03292): maps of a network with shuffled weights must not pass.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from slimnet import SlimNet
from slimnet.explain import Cells, blank_features, cells, from_features
from training.data.celeba import DataError, Split, read_pictures
from training.data.counting import counted
from training.measure import bootstrap
from training.measure.regions import HEIGHT, REGIONS, WIDTH, area, inside
from training.measure.scores import Interval

LEAST_RATIO = 1.5  # below it the network often looks elsewhere
LEAST_FACES = 10  # fewer are not reported
_CHANGED_SHARES = (0.05, 0.1, 0.2, 0.3, 0.5)  # of the cells that are deleted or inserted
_BATCH = 64
_SEED = 0  # of the shuffled weights


@dataclass(frozen=True, kw_only=True)
class Ratio:
    """Share of the energy in the region, divided by the region's share of the crop; mean over faces.

    Attributes:
        mean: 1 if the evidence is spread at random.
        interval: Its 95 % bootstrap interval, people resampled.
    """

    mean: float
    interval: Interval


@dataclass(frozen=True, kw_only=True)
class Changes:
    """Mean probability after changing 5 to 50 % of the cells, over these steps and over faces.

    Attributes:
        fine: In the order of the fine maps.
        grad_cam: In the order of Grad-CAM.
        random: In random order.
    """

    fine: float
    grad_cam: float
    random: float


@dataclass(frozen=True, kw_only=True)
class AttributeMaps:
    """How good the maps of one attribute are.

    Attributes:
        attribute: Its name.
        area: Its region's share of the crop.
        faces: Number of faces, all of which have the attribute.
        fine: Ratio of the fine maps.
        coarse: Ratio of the coarse maps.
        grad_cam: Ratio of Grad-CAM on the features behind the fine maps.
        shuffled: Ratio of the fine maps of a network with shuffled weights.
        deletion: Lower is better; None if it was not measured.
        insertion: Higher is better; None if it was not measured.
        elsewhere: Whether the network often looks elsewhere: the fine maps' ratio is below LEAST_RATIO.
    """

    attribute: str
    area: float
    faces: int
    fine: Ratio
    coarse: Ratio
    grad_cam: Ratio
    shuffled: Ratio
    deletion: Changes | None
    insertion: Changes | None
    elsewhere: bool


@dataclass(frozen=True)
class _Faces:
    """The pictures to judge, each once.

    Attributes:
        split: Pictures and labels.
        crops: uint8 RGB (N, height, width, 3).
        features: float32 (N, channels, h, w), the last Slim module's input before its pooling.
        shuffled: The same for the network with shuffled weights.
    """

    split: Split
    crops: Tensor
    features: Tensor
    shuffled: Tensor


class MapJudge:
    """Judges the maps of a network on faces that have an attribute.

    Args:
        model: The network, in eval mode, on the CPU.
        split: The faces; its attributes are the network's.
        faces: Maximum number for each attribute.
        changed_faces: How many of them are changed for deletion and insertion, at most; 0 for none.
        resamples: Bootstrap samples behind the intervals.

    Attributes:
        attributes: Those with a region and enough faces in the split.

    Raises:
        DataError: The network reads crops of another size than CelebA's, or there is no attribute to judge.
    """

    def __init__(self, model: SlimNet, split: Split, faces: int, changed_faces: int, resamples: int) -> None:
        if (model.preprocessing.height, model.preprocessing.width) != (HEIGHT, WIDTH):
            raise DataError(f"regions are known in CelebA's crops alone, {WIDTH} wide and {HEIGHT} high")
        self._model, self._shuffled = model, shuffled(model)
        self._changed_faces, self._resamples = changed_faces, resamples
        chosen = {name: _having(split, name, faces) for name in model.attributes if name in REGIONS}
        chosen = {name: found for name, found in chosen.items() if len(found) >= LEAST_FACES}
        if not chosen:
            raise DataError(f"no attribute that has a place in the face is seen in {LEAST_FACES} pictures or more")
        used = np.unique(np.concatenate(list(chosen.values())))
        self._places = {name: np.searchsorted(used, found) for name, found in chosen.items()}
        self._faces = self._read(split.only(used))
        self.attributes = tuple(chosen)

    def _read(self, split: Split) -> _Faces:
        parts: list[tuple[Tensor, ...]] = []
        before = self._model.architecture.slim_modules - 1
        with counted("reading", len(split)) as advance, torch.no_grad():
            for crops in read_pictures(split, self._model.preprocessing, _BATCH):
                read = torch.from_numpy(crops)
                x = self._model.preprocessing.normalise(read)
                parts.append((read, self._model.features(x, before), self._shuffled.features(x, before)))
                advance(len(crops))
        return _Faces(split, *(torch.cat(part) for part in zip(*parts, strict=True)))

    def judge(self, attribute: str) -> AttributeMaps:
        """Judge the maps of one attribute.

        Args:
            attribute: One of `attributes`.
        """
        model, faces, places = self._model, self._faces, torch.from_numpy(self._places[attribute])
        column, region = model.attributes.index(attribute), REGIONS[attribute]
        fine_cells, coarse_cells = cells(model, refine=True), cells(model)
        draws = bootstrap.draw(faces.split.identities[places.numpy()], self._resamples)

        def ratio(maps: np.ndarray, where: Cells) -> Ratio:
            return _mean(energy(maps, inside(region, where)) / area(region), draws)

        fine = _maps(model, faces.features[places], column, refine=True)
        cam = grad_cam(model, faces.features[places], column)
        found = ratio(fine, fine_cells)
        deletion, insertion = self._change(attribute, fine, cam)
        return AttributeMaps(
            attribute=attribute,
            area=round(area(region), 6),
            faces=len(places),
            fine=found,
            coarse=ratio(_maps(model, faces.features[places], column), coarse_cells),
            grad_cam=ratio(cam, fine_cells),
            shuffled=ratio(_maps(self._shuffled, faces.shuffled[places], column, refine=True), fine_cells),
            deletion=deletion,
            insertion=insertion,
            elsewhere=found.mean < LEAST_RATIO,
        )

    def _change(self, attribute: str, fine: np.ndarray, cam: np.ndarray) -> tuple[Changes | None, Changes | None]:
        """Measure deletion and insertion on some of an attribute's faces."""
        if not self._changed_faces:
            return None, None
        some = np.linspace(0, len(fine) - 1, min(self._changed_faces, len(fine))).round().astype(int)
        crops = self._faces.crops[torch.from_numpy(self._places[attribute][some])]
        x = self._model.preprocessing.normalise(crops)
        orders = {"fine": fine[some], "grad_cam": cam[some]}
        orders["random"] = np.random.default_rng(0).random(fine[some].shape)
        probability = _probability(self._model, self._model.attributes.index(attribute))
        where = cells(self._model, refine=True)
        deleted, inserted = (
            {name: changed(x, maps, where, probability, keep) for name, maps in orders.items()}
            for keep in (False, True)
        )
        return Changes(**deleted), Changes(**inserted)


def shuffled(model: SlimNet) -> SlimNet:
    """Copy a network and shuffle the weights within each convolution and within its head.

    Args:
        model: The network; it is not changed.
    """
    other, generator = copy.deepcopy(model), torch.Generator().manual_seed(_SEED)
    with torch.no_grad():
        for name, weight in other.named_parameters():
            if name.endswith("weight") and weight.ndim > 1:
                order = torch.randperm(weight.numel(), generator=generator)
                weight.copy_(weight.flatten()[order].reshape(weight.shape))
    return other


def grad_cam(model: SlimNet, features: Tensor, column: int) -> np.ndarray:
    """Compute plain Grad-CAM (Selvaraju et al., arXiv 1610.02391) for one attribute.

    Args:
        model: The network, in eval mode.
        features: float32 (N, channels, h, w), the last Slim module's input before its pooling.
        column: Index of the attribute.

    Returns:
        float32 (N, h, w), at least 0.
    """
    with torch.enable_grad():
        before = features.detach().clone().requires_grad_()
        logits = model.head(model.advance(before, model.architecture.slim_modules))
        (gradient,) = torch.autograd.grad(logits[:, column].sum(), before)
    return (gradient.mean((2, 3), keepdim=True) * features).sum(1).clamp(min=0).numpy()


def energy(maps: np.ndarray, within: np.ndarray) -> np.ndarray:
    """Compute how much of the positive evidence lies in a region.

    Args:
        maps: float (N, h, w).
        within: float (h, w), the share of each cell inside the region.

    Returns:
        float64 (N,), from 0 to 1; 0 if there is no positive evidence.
    """
    positive = np.maximum(maps.astype(np.float64), 0)
    total = positive.sum((1, 2))
    return (positive * within).sum((1, 2)) / np.where(total > 0, total, 1)


def changed(
    x: Tensor, maps: np.ndarray, where: Cells, probability: Callable[[Tensor], np.ndarray], keep: bool
) -> float:
    """Blank the cells with the strongest evidence, or all others, and measure the remaining probability.

    Args:
        x: Normalised crops, (N, 3, height, width), in which 0 is blank.
        maps: float (N, h, w); the highest values are changed first.
        where: The cells of the maps.
        probability: Returns the crops' probabilities, (N,).
        keep: Whether to keep the strongest cells (insertion) or blank them (deletion).

    Returns:
        Mean over the faces and over growing shares of the cells.
    """
    height, width = x.shape[2:]
    row = np.searchsorted(where.rows, np.arange(height) + 0.5) - 1
    column = np.searchsorted(where.columns, np.arange(width) + 0.5) - 1
    cell = torch.from_numpy(row[:, None] * maps.shape[2] + column)  # (height, width)
    ranks = torch.from_numpy((-maps.reshape(len(maps), -1)).argsort(1).argsort(1))
    of_pixel = ranks[:, cell]  # (N, height, width)
    strongest = (of_pixel < round(share * ranks.shape[1]) for share in _CHANGED_SHARES)
    return float(np.mean([probability(x * (chosen == keep)[:, None]) for chosen in strongest]))


def _probability(model: SlimNet, column: int) -> Callable[[Tensor], np.ndarray]:
    """Make a function that returns the probability of one attribute."""

    def compute(x: Tensor) -> np.ndarray:
        with torch.no_grad():
            return torch.cat([model(part)[:, column] for part in x.split(_BATCH)]).sigmoid().numpy()

    return compute


def _having(split: Split, attribute: str, faces: int) -> np.ndarray:
    """Choose at most `faces` pictures with an attribute, evenly spaced; returns ascending indices."""
    column = split.attributes.index(attribute)
    found = np.flatnonzero(split.labels[:, column] & split.known[:, column])
    return found[np.unique(np.linspace(0, len(found) - 1, min(faces, len(found))).round().astype(int))]


def _maps(model: SlimNet, features: Tensor, column: int, refine: bool = False) -> np.ndarray:
    """Maps of one attribute, float32 (N, h, w)."""
    blank = blank_features(model, HEIGHT, WIDTH) if refine else None
    return from_features(model, features, blank, [column]).maps[:, 0].numpy()


def _mean(values: np.ndarray, draws: np.ndarray) -> Ratio:
    """Mean of the faces' values, (N,), with its interval over the draws, (resamples, N)."""
    drawn = draws.sum(1)
    low, high = bootstrap.interval((draws @ values)[drawn > 0] / drawn[drawn > 0])
    return Ratio(mean=round(float(values.mean()), 4), interval=(round(float(low), 4), round(float(high), 4)))
