"""How telling a tick is: which attributes are written on the picture first.

The weight of an attribute is its information in bits, times how much the network knows about it:

    -log2(share of CelebA's faces that have it) * (2 * balanced accuracy - 1)

So a hat says more than no beard, and what is hardly more than a guess says little. Expressions count three times:
they change while somebody looks into the camera, and are what people look for first. What describes the picture rather
than the face (blurry) is never written, and neither are impressions: pictures are passed on, but an opinion about
somebody's looks, or a wrong gender, shouldn't be. The page multiplies the weight by how sure the network is of this
face (`browser/shared/picture/labels.js`).
"""

import math
from collections.abc import Sequence

from slimnet import Reliability
from slimnet.attributes import GROUPS

# Per cent of the faces that have it, of 43,575 in CelebA; the figures for all 202,599 differ by 3 points at most.
_PERCENT = {
    "5_o_Clock_Shadow": 10.4, "Arched_Eyebrows": 23.4, "Attractive": 48.0, "Bags_Under_Eyes": 20.0, "Bald": 2.5,
    "Bangs": 14.2, "Big_Lips": 21.0, "Big_Nose": 23.5, "Black_Hair": 23.5, "Blond_Hair": 14.2,
    "Brown_Hair": 20.0, "Bushy_Eyebrows": 13.6, "Chubby": 6.5, "Double_Chin": 5.2, "Eyeglasses": 7.3,
    "Goatee": 6.4, "Gray_Hair": 5.3, "Heavy_Makeup": 35.7, "High_Cheekbones": 45.6, "Male": 44.7,
    "Mouth_Slightly_Open": 49.1, "Mustache": 4.1, "Narrow_Eyes": 10.8, "No_Beard": 83.1, "Oval_Face": 30.8,
    "Pale_Skin": 4.0, "Pointy_Nose": 25.9, "Receding_Hairline": 8.5, "Rosy_Cheeks": 5.7, "Sideburns": 5.5,
    "Smiling": 48.4, "Straight_Hair": 20.6, "Wavy_Hair": 29.9, "Wearing_Earrings": 17.7, "Wearing_Hat": 5.4,
    "Wearing_Lipstick": 43.4, "Wearing_Necklace": 10.5, "Wearing_Necktie": 8.0, "Young": 75.1,
}  # fmt: skip
_UNKNOWN_PERCENT = 50.0  # of an attribute that CelebA does not have
_UNMEASURED_ACCURACY = 0.8  # balanced; of weights that were never measured
_EXPRESSIONS = ("Smiling", "Mouth_Slightly_Open")
_EXPRESSION_FACTOR = 3.0
_OF_THE_PICTURE = ("Blurry",)


def telling(attributes: Sequence[str], reliability: Sequence[Reliability] | None) -> list[float]:
    """Weigh the attributes.

    Args:
        attributes: the names, in the order of the probabilities.
        reliability: one for each attribute; None for weights that were never measured.

    Returns:
        A weight for each attribute, 0 for one that is never written on the picture.
    """
    accuracies = [measured.balanced_accuracy for measured in reliability or ()]
    accuracies = accuracies or [_UNMEASURED_ACCURACY] * len(attributes)
    return [round(_weight(name, accuracy), 3) for name, accuracy in zip(attributes, accuracies, strict=True)]


def _weight(attribute: str, balanced_accuracy: float) -> float:
    if attribute in _OF_THE_PICTURE or attribute in GROUPS["Impressions"]:
        return 0.0
    bits = -math.log2(_PERCENT.get(attribute, _UNKNOWN_PERCENT) / 100)
    factor = _EXPRESSION_FACTOR if attribute in _EXPRESSIONS else 1.0
    return factor * bits * max(0.0, 2 * balanced_accuracy - 1)
