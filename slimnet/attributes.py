"""CelebA's 40 binary attributes, how a page groups them, and which names other attributes may have."""

import unicodedata
from collections import Counter
from collections.abc import Sequence
from reprlib import repr as shortened

MAX_NAME_CHARACTERS = 200

# In the order of CelebA's label file, which is also that of the network's outputs.
ATTRIBUTES: tuple[str, ...] = (
    "5_o_Clock_Shadow", "Arched_Eyebrows", "Attractive", "Bags_Under_Eyes", "Bald",
    "Bangs", "Big_Lips", "Big_Nose", "Black_Hair", "Blond_Hair",
    "Blurry", "Brown_Hair", "Bushy_Eyebrows", "Chubby", "Double_Chin",
    "Eyeglasses", "Goatee", "Gray_Hair", "Heavy_Makeup", "High_Cheekbones",
    "Male", "Mouth_Slightly_Open", "Mustache", "Narrow_Eyes", "No_Beard",
    "Oval_Face", "Pale_Skin", "Pointy_Nose", "Receding_Hairline", "Rosy_Cheeks",
    "Sideburns", "Smiling", "Straight_Hair", "Wavy_Hair", "Wearing_Earrings",
    "Wearing_Hat", "Wearing_Lipstick", "Wearing_Necklace", "Wearing_Necktie", "Young",
)  # fmt: skip

# Display groups: every attribute is in exactly one. "Impressions" holds those that are most clearly an annotator's
# judgement of a person, rather than something one can point at in the picture.
GROUPS: dict[str, tuple[str, ...]] = {
    "Hair": (
        "Black_Hair", "Brown_Hair", "Blond_Hair", "Gray_Hair", "Straight_Hair", "Wavy_Hair",
        "Bangs", "Receding_Hairline", "Bald",
    ),
    "Eyes and brows": ("Arched_Eyebrows", "Bushy_Eyebrows", "Narrow_Eyes", "Bags_Under_Eyes"),
    "Nose and mouth": ("Big_Nose", "Pointy_Nose", "Big_Lips", "Mouth_Slightly_Open", "Smiling"),
    "Facial hair": ("No_Beard", "5_o_Clock_Shadow", "Goatee", "Mustache", "Sideburns"),
    "Skin and make-up": ("Pale_Skin", "Rosy_Cheeks", "Heavy_Makeup", "Wearing_Lipstick"),
    "Face shape": ("Oval_Face", "High_Cheekbones", "Double_Chin"),
    "Accessories": ("Eyeglasses", "Wearing_Hat", "Wearing_Earrings", "Wearing_Necklace", "Wearing_Necktie"),
    "Picture": ("Blurry",),
    "Impressions": ("Attractive", "Young", "Male", "Chubby"),
}  # fmt: skip


def label_names(num_classes: int, names: Sequence[str] | None = None) -> tuple[str, ...]:
    """Name a network's classes.

    Args:
        num_classes: number of the network's outputs.
        names: one for each output; None for CelebA's names if there are 40, else label_0, label_1, ….

    Returns:
        One name for each class, in the order of the outputs.

    Raises:
        ValueError: there are more or fewer names than classes, or a name is empty, too long, repeated, or has a control
            character or a lone surrogate.
    """
    if names is None:
        return ATTRIBUTES if num_classes == len(ATTRIBUTES) else tuple(f"label_{n}" for n in range(num_classes))
    if len(names) != num_classes:
        raise ValueError(f"{len(names)} attribute names were given for {num_classes} classes")
    _check_names(names)
    return tuple(names)


def _check_names(names: Sequence[str]) -> None:
    """Raise ValueError for names that can't be columns of a table or labels on a page."""
    for name in names:
        if not isinstance(name, str) or not name.strip() or len(name) > MAX_NAME_CHARACTERS:
            raise ValueError(
                f"an attribute's name must be a text of 1 to {MAX_NAME_CHARACTERS} characters, got {shortened(name)}"
            )
        if any(unicodedata.category(character) in ("Cc", "Cs") for character in name):
            raise ValueError(f"the attribute's name {shortened(name)} holds a control character or half a character")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"attribute names must be unique, but {shortened(twice[0])} occurs twice")
