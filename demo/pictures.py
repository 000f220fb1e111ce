"""Open any picture file as the RGB frame that the rest of the demo works on."""

import io
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

# Pillow's own bound against decompression bombs is a little higher; 8000x6000 is 48 million.
MAX_PIXELS = 89_000_000

# Of a file that comes from elsewhere.
LARGEST_BYTES = 64 * 2**20

# Only formats decoded inside Pillow: its EPS reader would run another program on what a stranger sent.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "DIB", "TIFF", "PPM", "TGA", "ICO", "PCX", "JPEG2000")

# What picture files are usually called; HEIC too, so that those get a message and are not passed over.
SUFFIXES = frozenset(
    (".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".jp2", ".png", ".gif", ".webp", ".avif", ".bmp", ".dib")
)
SUFFIXES |= {".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".tga", ".ico", ".pcx", ".heic", ".heif"}

_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")


class PictureError(ValueError):
    """A picture cannot be opened; the message tells people why and what to do."""


def open_picture(source: str | Path | bytes, name: str = "") -> np.ndarray:
    """Open a picture as an upright RGB frame.

    Grey, palette, CMYK and 16-bit pictures are converted (16-bit values are scaled, not clipped), transparent parts
    become white, the first frame of an animation is taken, and the EXIF orientation is applied.

    Args:
        source: path of the file, or the bytes of one.
        name: what messages call it; the file's own name, or "The picture", unless given.

    Returns:
        Contiguous array (height, width, 3), uint8, RGB in 0..255.

    Raises:
        PictureError: there is no such file, it is empty, damaged, no picture, of a format that is not supported, or
            has more than ``MAX_PIXELS`` pixels.
    """
    if isinstance(source, bytes):
        return _read(io.BytesIO(source), f"'{name}'" if name else "The picture")
    path = Path(source)
    name = f"'{name or path.name}'"
    try:
        if not path.exists():
            raise PictureError(f"{name} does not exist.")
        if not path.is_file():
            raise PictureError(f"{name} is a folder or device, not a file.")
        with path.open("rb") as file:
            return _read(file, name)
    except OSError as error:
        raise PictureError(f"{name} cannot be read: {error.strerror or error}.") from error


def _read(file: IO[bytes], name: str) -> np.ndarray:
    """Decode an open file; `name` begins the messages."""
    head = file.read(16)
    file.seek(0)
    if not head:
        raise PictureError(f"{name} is empty.")
    try:
        with Image.open(file, formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise _too_large(name)
            image.load()
            return np.array(_to_rgb(_upright(image)))
    except PictureError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning, MemoryError) as error:
        raise _too_large(name) from error
    except UnidentifiedImageError as error:
        if head[4:8] == b"ftyp" and head[8:12] in _HEIC_BRANDS:
            raise PictureError(f"{name} is a HEIC picture, which is not supported. Save it as JPEG or PNG.") from error
        raise PictureError(f"{name} is not a picture of a known format. Use JPEG, PNG, WebP, GIF or TIFF.") from error
    except Exception as error:  # decoders raise almost anything on a damaged file
        raise PictureError(f"{name} is damaged or cut off and cannot be opened.") from error


def _too_large(name: str) -> PictureError:
    return PictureError(f"{name} has too many pixels (more than {MAX_PIXELS // 1_000_000} million). Make it smaller.")


def _upright(image: Image.Image) -> Image.Image:
    """Apply the EXIF orientation; a picture whose EXIF block is damaged stays as it is."""
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # the parser raises almost anything on a damaged block, and the pixels are good without it
        return image


def _to_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_to_8_bit(np.asarray(image))).convert("RGB")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return image.convert("RGB")


def _to_8_bit(values: np.ndarray) -> np.ndarray:
    """Scale integer or floating grey values to uint8 by the smallest usual white point that holds them all.

    Floats up to 1 are taken for 0..1; 16-bit integers always for 0..65535.
    """
    if values.dtype == np.uint16:
        white = 65535.0
    else:
        values = np.nan_to_num(values.astype(np.float64), posinf=0.0, neginf=0.0)
        whites = (1.0, 255.0, 65535.0) if values.size and np.any(values % 1) else (255.0, 65535.0)
        white = next((bound for bound in whites if values.max() <= bound), float(values.max()))
    return np.clip(np.rint(values * (255.0 / white)), 0, 255).astype(np.uint8)
