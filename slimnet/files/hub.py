"""SlimNet on the Hugging Face hub: implements its methods from_pretrained, save_pretrained and push_to_hub.

A repository there holds model.safetensors, the same file that `SlimNet.save` writes, config.json with a copy
of its metadata, and a model card.
"""

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from huggingface_hub import ModelCard, ModelHubMixin, hf_hub_download
from huggingface_hub.constants import CONFIG_NAME, SAFETENSORS_SINGLE_FILE
from huggingface_hub.errors import (
    EntryNotFoundError,
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
    RevisionNotFoundError,
)
from huggingface_hub.utils import httpx

from slimnet.attributes import label_names
from slimnet.calibration import Calibration
from slimnet.files import checkpoint
from slimnet.files.atomic import replacement
from slimnet.files.checkpoint import Checkpoint, CheckpointError

_CARD_NAME = "README.md"
_DOWNLOAD_OPTIONS = ("revision", "cache_dir", "force_download", "local_files_only", "token")


class HubRepository(
    ModelHubMixin,
    library_name="slimnet",
    license="other",
    license_name="celeba-non-commercial-research",
    license_link="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    pipeline_tag="image-classification",
    tags=["face-attributes", "celeba", "slimnet", "pytorch"],
):
    """A checkpoint as a repository on the hub; see huggingface_hub.ModelHubMixin for the other public methods.

    Attributes:
        checkpoint: the repository's content.
    """

    checkpoint: Checkpoint

    # No arguments: huggingface_hub would fill them from config.json, which a stranger may have written.
    def __init__(self) -> None:
        super().__init__()

    @classmethod
    def of(cls, content: Checkpoint) -> "HubRepository":
        """Make a repository from a checkpoint.

        Args:
            content: the checkpoint.

        Returns:
            The repository; nothing is written or uploaded yet.
        """
        repository = cls()
        repository.checkpoint = content
        return repository

    def _save_pretrained(self, save_directory: Path) -> None:
        """Write the weights and config.json; called by save_pretrained, which then writes a card if there is none."""
        self._remove_generated_card(save_directory)
        checkpoint.write(save_directory / SAFETENSORS_SINGLE_FILE, self.checkpoint)
        config = {"model_type": "slimnet", "slimnet": self.checkpoint.metadata}
        with replacement(save_directory / CONFIG_NAME) as part:
            part.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    def _remove_generated_card(self, folder: Path) -> None:
        """Remove a folder's card if it is just what was generated for its weights: the new ones have other figures."""
        card, weights = folder / _CARD_NAME, folder / SAFETENSORS_SINGLE_FILE
        if card.is_file() and weights.is_file() and self._is_generated(card, weights):
            card.unlink()

    def _is_generated(self, card: Path, weights: Path) -> bool:
        """Whether a card is just what is generated for these weights, so that nobody has changed it."""
        try:
            generated = self.of(checkpoint.read(weights)).generate_model_card()
            return card.read_text(encoding="utf-8").split() == str(generated).split()
        except (CheckpointError, UnicodeDecodeError):
            return False

    def push_to_hub(self, repo_id: str, **options: Any) -> str:
        """Upload the repository; huggingface_hub would replace a card there that somebody has written.

        Args:
            repo_id: USER/NAME.
            **options: as for huggingface_hub.ModelHubMixin.push_to_hub.

        Returns:
            The address of the commit.

        Raises:
            OSError: the upload failed.
        """
        try:
            if self._holds_written_card(repo_id, options.get("token"), options.get("branch")):
                left_out = options.get("ignore_patterns") or []
                options["ignore_patterns"] = [*([left_out] if isinstance(left_out, str) else left_out), _CARD_NAME]
            return str(super().push_to_hub(repo_id, **options))
        except httpx.HTTPError as error:
            raise OSError(f"{repo_id} cannot be uploaded: {error}") from error

    def _holds_written_card(self, repo_id: str, token: str | bool | None, branch: str | None) -> bool:
        """Whether a repository on the hub has a card other than the one that was generated for its weights."""
        get = partial(hf_hub_download, repo_id, revision=branch, token=token)
        try:
            card = Path(get(_CARD_NAME))
        except LocalEntryNotFoundError:  # the hub is out of reach, so whether it has one is not known
            raise
        except (EntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError):
            return False
        try:
            return not self._is_generated(card, Path(get(SAFETENSORS_SINGLE_FILE)))
        except EntryNotFoundError:
            return True

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **download: Any) -> "HubRepository":
        """Read a repository, as huggingface_hub does: config.json first, which it assumes to be a JSON object.

        Args:
            pretrained_model_name_or_path: USER/NAME, or a local folder.
            **download: revision, cache_dir, force_download, local_files_only and token of hf_hub_download.

        Returns:
            The repository with its checkpoint, on the CPU.

        Raises:
            CheckpointError: its files are damaged or not SlimNet's, or no repository can have this name.
            TypeError: there is no such option.
        """
        unknown = sorted(download.keys() - set(_DOWNLOAD_OPTIONS))
        if unknown:  # huggingface_hub would pass them on to __init__, and a misspelt revision would mean the main one
            raise TypeError(f"from_pretrained takes no {', '.join(unknown)}, only {', '.join(_DOWNLOAD_OPTIONS)}")
        try:
            return super().from_pretrained(pretrained_model_name_or_path, **download)
        except HFValidationError as error:
            raise CheckpointError(
                f"there is no folder {pretrained_model_name_or_path}, and on the hub names look like USER/NAME"
            ) from error
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError, AttributeError) as error:
            raise CheckpointError(f"{pretrained_model_name_or_path}: {CONFIG_NAME} is damaged; get it again") from error

    @classmethod
    def _from_pretrained(cls, *, model_id: str, **options: Any) -> "HubRepository":
        """Read the weights of a local folder, or download them; called by from_pretrained."""
        folder = Path(model_id)
        if folder.is_dir():
            path = folder / SAFETENSORS_SINGLE_FILE
        else:
            download = {name: options[name] for name in _DOWNLOAD_OPTIONS if name in options}
            path = Path(hf_hub_download(model_id, SAFETENSORS_SINGLE_FILE, **download))
        return cls.of(checkpoint.read(path))

    def generate_model_card(self, *_args: Any, **_kwargs: Any) -> ModelCard:
        """Write the model card: what the network is for, how to load it, how reliable each attribute is.

        Args:
            *_args: ignored; ModelHubMixin passes them for its template.
            **_kwargs: ignored as well.

        Returns:
            The card, with its metadata.
        """
        data = self._hub_mixin_info.model_card_data.to_yaml()
        return ModelCard(f"---\n{data}\n---\n\n{_card_text(self.checkpoint)}", ignore_metadata_errors=True)


def _card_text(content: Checkpoint) -> str:
    """Write the card's text in Markdown."""
    attributes = label_names(content.architecture.num_classes, content.attributes)
    width, height = content.preprocessing.width, content.preprocessing.height
    # The rest of the state dict is batch norm's statistics.
    parameters = sum(value.numel() for name, value in content.state.items() if name.endswith((".weight", ".bias")))
    return f"""# SlimNet: {len(attributes)} face attributes from {parameters:,} parameters

SlimNet ([Slim-CNN](https://arxiv.org/abs/1907.02157)) reads in an aligned face crop, {width} wide and {height} high as
in CelebA, which attributes an annotator would tick.

```python
from slimnet import SlimNet

model = SlimNet.from_pretrained("USER/NAME")  # this repository
x = model.preprocessing(picture).unsqueeze(0)  # a PIL image
on = model(x) > 0
```

**Licence**: weights that were trained on CelebA are for non-commercial research only, as its terms say.

**Use**: showing what a small network reads in aligned face crops, and research on it. Not for identification, nor for
any decision about a person: the labels are impressions that annotators had of celebrities' pictures, many of them are
wrong, and the people in CelebA are not a sample of anybody else.

{_reliability_table(attributes, content.calibration)}
"""


def _reliability_table(attributes: Sequence[str], calibration: Calibration | None) -> str:
    """Write the balanced accuracy of each attribute as Markdown, or only the names without a calibration."""
    if calibration is None:
        return "Attributes: " + ", ".join(attributes) + ". How reliable each one is has not been measured."
    names = [name.replace("|", r"\|") for name in attributes]
    rows = [
        f"| {name} | {100 * found.balanced_accuracy:.1f} | {100 * found.low:.1f} to {100 * found.high:.1f} |"
        for name, found in zip(names, calibration.reliability, strict=True)
    ]
    return "\n".join(
        [
            "In per cent, on validation images: the mean of how many of those that have an attribute, and of those",
            "that have not, are read right (50 is worth nothing), with its 95 % interval.",
            "",
            "| attribute | balanced accuracy | interval |",
            "| --- | --- | --- |",
            *rows,
        ]
    )
