"""Converts colours of any profile to sRGB, which the training pictures have and browsers send."""

import hashlib
import io

import numpy as np
from PIL import ExifTags, Image, ImageCms

from slimnet.colour.icc_profile import adobe_rgb

MAX_PROFILE_BYTES = 4 * 2**20  # unless a caller says otherwise; printing presses' take up to 3 MB
_COLOUR_TOLERANCE = 2  # of 255; profiles called sRGB differ by 1
_MAX_KNOWN_PROFILES = 64
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}  # a profile's colour space -> Pillow's mode


# SHA-256 of profiles found to be sRGB, as nearly all are: testing one takes longer than decoding a small JPEG.
_known_srgb: set[bytes] = set()


def profile_of(image: Image.Image) -> bytes:
    """Return the ICC profile of a picture's colours.

    Args:
        image: as opened by Pillow, before any conversion.

    Returns:
        Its own profile, or Adobe RGB's if its EXIF block names that; empty if neither says anything.
    """
    if profile := image.info.get("icc_profile"):
        return profile if isinstance(profile, bytes) else b""  # Pillow hands on a TIFF's tag of any type
    if image.format not in ("JPEG", "MPO") or image.mode != "RGB":
        return b""
    try:
        exif = image.getexif()
        space = exif.get_ifd(ExifTags.IFD.Exif).get(ExifTags.Base.ColorSpace)
        index = exif.get_ifd(ExifTags.IFD.Interop).get(ExifTags.Interop.InteropIndex)
    except Exception:  # on a damaged block, the parser raises almost anything
        return b""
    # 2 is not in the standard, but some cameras write it.
    return adobe_rgb() if space == 2 or (str(index).startswith("R03") and space != 1) else b""


def to_srgb(image: Image.Image, profile: bytes, max_profile_bytes: int = MAX_PROFILE_BYTES) -> Image.Image:
    """Convert a picture to sRGB.

    Args:
        image: in any mode with up to 8 bits a channel.
        profile: ICC profile of its colours, or empty for sRGB.
        max_profile_bytes: a larger profile is not read.

    Returns:
        The converted picture, with its transparency; `image` itself if it is already sRGB, or if the profile is
        damaged, too large or made for another colour space.
    """
    if not profile or len(profile) > max_profile_bytes:
        return image
    try:
        digest = hashlib.sha256(profile).digest()
        if digest in _known_srgb:
            return image
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        mode = _MODES[source.profile.xcolor_space.strip()]
        is_grey = image.mode in ("1", "L", "LA")
        if (mode == "CMYK") != (image.mode == "CMYK") or (mode == "L" and not is_grey) or image.mode == "LAB":
            return image
        if mode != "CMYK" and _is_srgb(source, mode):
            if len(_known_srgb) < _MAX_KNOWN_PROFILES:
                _known_srgb.add(digest)
            return image
        transform = _transform(source, mode, ImageCms.Flags.BLACKPOINTCOMPENSATION)
        converted = ImageCms.applyTransform(_opaque(image, mode), transform)
    except Exception:  # a damaged profile can fail anywhere, and the picture is fine without it
        return image
    if converted is None:
        return image
    if image.has_transparency_data:
        converted.putalpha(image.convert("RGBA").getchannel("A"))
    return converted


def _opaque(image: Image.Image, mode: str) -> Image.Image:
    """Drop the transparency, and convert to a mode that transforms support."""
    if image.mode == mode:
        return image
    return (image.convert("RGBA") if image.has_transparency_data else image).convert(mode)


def _is_srgb(source: ImageCms.ImageCmsProfile, mode: str) -> bool:
    """Check whether a profile leaves 729 colours, or all greys, nearly as they are."""
    if mode == "L":
        probe = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
    else:
        steps = np.linspace(0, 255, 9).astype(np.uint8)
        probe = Image.fromarray(np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(27, 27, 3))
    # Creating unoptimised transforms is five times as fast, which matters more than their speed for so few colours.
    converted = ImageCms.applyTransform(probe, _transform(source, mode, ImageCms.Flags.NOOPTIMIZE))
    before, after = np.asarray(probe.convert("RGB"), np.int16), np.asarray(converted, np.int16)
    return bool(np.abs(after - before).max() <= _COLOUR_TOLERANCE)


def _transform(source: ImageCms.ImageCmsProfile, mode: str, flags: ImageCms.Flags) -> ImageCms.ImageCmsTransform:
    """Make the transform to sRGB that photo programs use: it keeps black, and colours within sRGB."""
    intent = ImageCms.Intent.RELATIVE_COLORIMETRIC
    return ImageCms.buildTransform(source, ImageCms.createProfile("sRGB"), mode, "RGB", intent, flags)
