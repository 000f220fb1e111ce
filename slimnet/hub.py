"""SlimNet on the Hugging Face hub: `SlimNet.from_pretrained("user/name")` and `model.push_to_hub("user/name")`.

A repository there holds model.safetensors, which is the very file that `SlimNet.save` writes, config.json with a copy
of its metadata, and a model card.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from huggingface_hub import ModelCard, ModelHubMixin, hf_hub_download
from huggingface_hub.constants import CONFIG_NAME, SAFETENSORS_SINGLE_FILE

from slimnet.atomic import replacement
from slimnet.checkpoint import CheckpointError

if TYPE_CHECKING:
    from typing import Self

    from slimnet.model import SlimNet


_DOWNLOAD_OPTIONS = ("revision", "cache_dir", "force_download", "local_files_only", "token")


class HubMixin(
    ModelHubMixin,
    library_name="slimnet",
    license="other",
    license_name="celeba-non-commercial-research",
    license_link="https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
    pipeline_tag="image-classification",
    tags=["face-attributes", "celeba", "slimnet", "pytorch"],
):
    """What SlimNet has of huggingface_hub: save_pretrained, from_pretrained and push_to_hub, with its own files.

    from_pretrained takes a repository's name or a local folder, and gives the network ready for inference (eval). It
    raises CheckpointError for weights that are damaged or no SlimNet, and huggingface_hub's errors for a download.
    """

    def _save_pretrained(self, save_directory: Path) -> None:
        model = cast("SlimNet", self)
        model.save(save_directory / SAFETENSORS_SINGLE_FILE)
        # Under one key: huggingface_hub passes those that are called like SlimNet's arguments to _from_pretrained.
        config = {"model_type": "slimnet", "slimnet": model.to_checkpoint().metadata}
        with replacement(save_directory / CONFIG_NAME) as part:
            part.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    @classmethod
    def from_pretrained(cls, pretrained_model_name_or_path: str | Path, **download: Any) -> Self:
        """As huggingface_hub's, which reads config.json first and trusts it to be a JSON object."""
        try:
            return super().from_pretrained(pretrained_model_name_or_path, **download)
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError, AttributeError) as error:
            raise CheckpointError(f"{pretrained_model_name_or_path}: {CONFIG_NAME} is damaged; get it anew") from error

    @classmethod
    def _from_pretrained(cls, *, model_id: str, **options: Any) -> Self:
        """options: hf_hub_download's arguments, as from_pretrained was given them, and whatever config.json adds."""
        folder = Path(model_id)
        if folder.is_dir():
            path = folder / SAFETENSORS_SINGLE_FILE
        else:
            download = {name: options[name] for name in _DOWNLOAD_OPTIONS if name in options}
            path = Path(hf_hub_download(model_id, SAFETENSORS_SINGLE_FILE, **download))
        return cast(Any, cls).load_pretrained(path).eval()

    def generate_model_card(self, *_args: Any, **_kwargs: Any) -> ModelCard:
        data = self._hub_mixin_info.model_card_data.to_yaml()
        return ModelCard(f"---\n{data}\n---\n\n{card_text(cast('SlimNet', self))}", ignore_metadata_errors=True)


def card_text(model: SlimNet) -> str:
    """The model card, in Markdown: what it is for, how to load it, and how reliable each attribute is."""
    width, height = model.preprocessing.width, model.preprocessing.height
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return f"""# SlimNet: {len(model.attributes)} face attributes from {parameters:,} parameters

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

{reliability_table(model)}
"""


def reliability_table(model: SlimNet) -> str:
    if model.calibration is None:
        return "Attributes: " + ", ".join(model.attributes) + ". How reliable each one is has not been measured."
    rows = [
        f"| {name} | {100 * found.balanced_accuracy:.1f} | {100 * found.low:.1f} to {100 * found.high:.1f} |"
        for name, found in zip(model.attributes, model.calibration.reliability, strict=True)
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
