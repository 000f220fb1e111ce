"""Open any picture file as the RGB frame that the rest of the demo works on."""

import contextlib
import io
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from demo.limits import MAX_PIXELS, MAX_PLAIN_BYTES, MAX_PROFILE_BYTES
from demo.pictures.bit_depth import to_8_bit
from demo.pictures.colour_box import boxed_profile
from demo.pictures.cut_off import completions
from demo.pictures.formats import (
    HEAD_BYTES,
    SUFFIXES,
    CostlyPictureError,
    TooManyPixelsError,
    UnsupportedPictureError,
    candidates,
    check_size,
    check_supported,
    has_signature,
)
from demo.pictures.icons import open_icon
from demo.pictures.jpeg_cost import check_cost
from demo.pictures.jpeg_segments import without_damage
from demo.pictures.png_chunks import SIGNATURE, open_png
from demo.pictures.tiff import open_tiff
from slimnet.colour import srgb

__all__ = ["SUFFIXES", "OutOfReachError", "PictureError", "open_picture", "subject", "too_costly"]

_JPEG = b"\xff\xd8\xff"
_PLAIN = (b"P1", b"P2", b"P3")
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+", b"MM*\0", b"II\0*")
_ICON = (b"\0\0\1\0", b"\0\0\2\0")


class PictureError(ValueError):
    """A picture can't be opened; the message, for people, says why and what to do."""


class OutOfReachError(PictureError):
    """A picture's file is not there or cannot be read, for which a disk or a network may be to blame."""


def open_picture(source: str | Path | bytes, name: str = "") -> np.ndarray:
    """Open a picture as an upright RGB frame in sRGB.

    Converts grey, palette, CMYK and deeper pictures (16-bit values are scaled, not clipped), and colours with another
    ICC profile. Transparent parts become white, and the EXIF orientation is applied. Takes the first frame of an
    animation, the largest picture of an icon, and the largest page of a TIFF with a thumbnail.

    Args:
        source: path of the file, or its bytes.
        name: for messages; by default the file's own name, or "The picture".

    Returns:
        Contiguous array (height, width, 3), uint8, RGB in 0..255.

    Raises:
        OutOfReachError: the file is missing or cannot be read.
        PictureError: it is empty, damaged, not a picture or of an unsupported format, has more than
            ``MAX_PIXELS`` pixels or ``MAX_SIDE_PIXELS`` along one side, or would take far longer to decode than others
            of its size.
    """
    if isinstance(source, bytes):
        return _read(io.BytesIO(source), subject(name))
    path = Path(source)
    name = subject(name or path.name)
    try:
        if not path.exists():
            raise OutOfReachError(f"{name} does not exist.")
        if not path.is_file():
            raise PictureError(f"{name} is a folder or device, not a file.")
        with path.open("rb") as file:
            return _read(file, name)
    except OSError as error:
        raise OutOfReachError(f"{name} cannot be read: {error.strerror or error}.") from error


def subject(name: str) -> str:
    """The beginning of a message about a picture.

    Args:
        name: of its file; empty if unknown.
    """
    return f"'{name}'" if name else "The picture"


def too_costly(picture: str) -> PictureError:
    """The error of a picture that takes too much time or memory.

    Args:
        picture: the beginning of the message, from `subject`.
    """
    return PictureError(f"{picture} takes too much time or memory to open. Make it smaller, or save it again as JPEG.")


def _read(file: IO[bytes], name: str) -> np.ndarray:
    """Decode an open file; messages begin with `name`."""
    head = file.read(HEAD_BYTES)
    if not head:
        raise PictureError(f"{name} is empty.")
    try:
        check_supported(head)
        return _to_frame(_decode(file))
    except UnsupportedPictureError as error:
        raise PictureError(f"{name} {error}") from error
    except MemoryError as error:
        raise too_costly(name) from error
    except (TooManyPixelsError, Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureError(
            f"{name} has too many pixels (more than {MAX_PIXELS // 1_000_000} million). Make it smaller."
        ) from error
    except Exception as error:  # decoders raise almost anything on a damaged file
        if isinstance(error, OSError) and error.errno:
            raise  # the disk's or the network's
        if isinstance(error, UnidentifiedImageError) and not has_signature(head):
            message = f"{name} is not a picture of a known format. Use JPEG, PNG, WebP, GIF or TIFF."
            raise PictureError(message) from error
        raise PictureError(f"{name} is damaged or cut off and cannot be opened.") from error


def _decode(file: IO[bytes]) -> Image.Image:
    """Open and load a picture, even if its file lacks the end."""
    try:
        return _load(file)
    except (UnsupportedPictureError, TooManyPixelsError, Image.DecompressionBombError, UnidentifiedImageError):
        raise
    except Exception:
        file.seek(0)
        picture = _load_truncated(file.read())
        if picture is None:
            raise
        return picture


def _load_truncated(data: bytes) -> Image.Image | None:
    """Load a picture whose file lacks its last bytes; None if any pixels are missing."""
    first: Image.Image | None = None
    for completion in completions(data):
        try:
            picture = _load(io.BytesIO(completion))
        except Exception:  # decoders raise almost anything on a truncated file
            return None
        if first is None:
            first = picture
        elif picture != first:  # differs in mode, size, palette or pixels
            return None
    return first


def _load(file: IO[bytes]) -> Image.Image:
    image = _open(file)
    check_size(image.width, image.height)
    image.load()
    return image


def _open(file: IO[bytes]) -> Image.Image:
    """Open a picture according to the signature at the beginning of its file."""
    file.seek(0)
    head = file.read(HEAD_BYTES)
    if head.startswith(SIGNATURE):
        return open_png(file)
    if head.startswith(_TIFF):
        return open_tiff(file)
    if head.startswith(_ICON) and (icon := open_icon(file)) is not None:
        return icon
    if head.startswith(_PLAIN) and file.seek(0, io.SEEK_END) > MAX_PLAIN_BYTES:
        raise CostlyPictureError("has its pixels written as text, which takes long to read. Save it as PNG.")
    file.seek(0)
    if head.startswith(_JPEG):
        check_cost(file.read())
        file.seek(0)
    try:
        image = Image.open(file, formats=candidates(head))
    except UnidentifiedImageError:
        if not head.startswith(_JPEG):
            raise
        file.seek(0)
        return Image.open(io.BytesIO(without_damage(file.read())), formats=("JPEG",))
    if image.format in ("AVIF", "JPEG2000") and not image.info.get("icc_profile"):
        position = file.tell()
        image.info["icc_profile"] = boxed_profile(file)
        file.seek(position)
    return image


def _to_frame(image: Image.Image) -> np.ndarray:
    """Turn a loaded picture upright and convert it to sRGB, on white."""
    profile = srgb.profile_of(image)
    _make_upright(image)
    if image.mode.startswith(("I", "F")):
        values = np.asarray(image)
        if image.format == "PPM" and image.mode == "I":
            values = values.astype(np.uint16)  # Pillow has scaled them to 16 bits, but keeps them in 32
        image = Image.fromarray(to_8_bit(values))
    image = srgb.to_srgb(image, profile, MAX_PROFILE_BYTES)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return np.array(image if image.mode == "RGB" else image.convert("RGB"))


def _make_upright(image: Image.Image) -> None:
    """Apply the EXIF orientation; if the EXIF block is damaged, the picture stays as it is."""
    # The parser raises almost anything on a damaged block, but the pixels are fine without it.
    with contextlib.suppress(Exception):
        ImageOps.exif_transpose(image, in_place=True)
