"""Tells the format of a file by its first bytes; names only decide which files of a folder to open at all."""

import re

from demo.limits import MAX_PIXELS, MAX_SIDE_PIXELS

# Only formats that compiled code inside Pillow decodes: its EPS reader would run another program on a stranger's file,
# and its QOI reader takes minutes. TGA has no signature, so it comes last.
FORMATS = ("JPEG", "PNG", "GIF", "WEBP", "AVIF", "BMP", "DIB", "PPM", "PCX", "JPEG2000", "TGA")

_READ = """jpg jpeg jpe jfif pjpeg pjp mpo jp2 j2k jpc jpf jpx j2c png apng gif webp avif avifs bmp dib tif tiff
    ppm pgm pbm pnm pfm tga icb vda vst ico cur pcx"""
# Unsupported formats are listed, too, so that their files get a message instead of being skipped.
_NAMED = """heic heif hif heics heifs jxl jxr wdp hdp psd psb svg svgz pdf eps exr hdr qoi
    3fr arw cr2 cr3 crw dcr dng erf fff iiq kdc mef mos mrw nef nrw orf pef raf raw rw2 rwl sr2 srf srw x3f"""
UNREAD_SUFFIXES = frozenset(f".{suffix}" for suffix in _NAMED.split())
SUFFIXES = UNREAD_SUFFIXES | {f".{suffix}" for suffix in _READ.split()}

_SAVE = "Save it as JPEG or PNG."
_EXPORT = "Export it as JPEG in the camera's or a photo program."
_RAW = f"is a camera's raw file, which is not supported. {_EXPORT}"
_VIDEO = "is a video, not a picture. Save one of its frames as JPEG or PNG."

# Pattern at the beginning of the file -> the message, to follow the file's name.
_UNSUPPORTED: tuple[tuple[bytes, str], ...] = (
    (rb"....ftyp(crx )", _RAW),
    (rb"....ftyp(hei[cxms]|hev[cxms])", f"is a HEIC picture, which is not supported. {_SAVE}"),
    (rb"....ftyp(mif1|msf1|mif2|miaf)(?!.{4,48}avi[fs])", f"is a HEIC picture, which is not supported. {_SAVE}"),
    (rb"....ftyp(?!avi[fs]|mif1|msf1|mif2|miaf|jp2 |jpx |jpm )", _VIDEO),
    (rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n", f"is a JPEG XL picture, which is not supported. {_SAVE}"),
    (rb"II\*\0\x10\0\0\0CR[\1\2]\0", _RAW),
    (rb"IIU\0|IIR[OS]|MMOR|FUJIFILMCCD-RAW|FOVb|\0MRM|II\x1a\0.{4}HEAPCCDR", _RAW),
    (rb"II\xbc", f"is a JPEG XR picture, which is not supported. {_SAVE}"),
    (rb"8BPS", f"is a Photoshop file, which is not supported. {_SAVE}"),
    (rb"%PDF", "is a PDF document, not a picture. Save the picture in it as JPEG or PNG."),
    (
        rb"%!PS|\xc5\xd0\xd3\xc6",
        "is an EPS or PostScript file, which is not supported. " + _SAVE,
    ),
    (rb"v/1\x01", f"is an OpenEXR picture, which is not supported. {_SAVE}"),
    (rb"#\?(RADIANCE|RGBE)", f"is a Radiance HDR picture, which is not supported. {_SAVE}"),
    (rb"qoif", f"is a QOI picture, which is not supported. {_SAVE}"),
    (rb".{128}DICM", f"is a DICOM file, which is not supported. {_SAVE}"),
    (
        rb"RIFF.{4}AVI |\x1aE\xdf\xa3|\0\0\x01[\xba\xb3]|FLV\x01|0&\xb2u\x8ef\xcf\x11|OggS|....(moov|mdat|wide|skip)",
        _VIDEO,
    ),
    (rb"G(?!IF8).{187}G.{187}G", _VIDEO),
    (
        rb"PK\x03\x04|Rar!|7z\xbc\xaf|\x1f\x8b",
        "is an archive or a compressed file. Unpack it and use the pictures in it.",
    ),
    (
        rb"(\xef\xbb\xbf)?\s*(<\?xml.*?|<!--.*?-->\s*)?(<!DOCTYPE svg.*?)?<svg[\s>]",
        f"is an SVG drawing, which is not supported. {_SAVE}",
    ),
    (
        rb"(?i)(\xef\xbb\xbf)?\s*<(!doctype html|html|head|body)\b",
        "is a web page, not a picture. Save the picture itself.",
    ),
    (rb"version https://git-lfs", "is a pointer of Git LFS, not the picture itself. Run `git lfs pull`."),
    (rb"\0\x05\x16\x07", "holds a Mac's side information, not a picture. Use the file without `._` in its name."),
)
_PATTERNS = tuple((re.compile(pattern, re.DOTALL), sentence) for pattern, sentence in _UNSUPPORTED)
HEAD_BYTES = 1024  # of a file, enough to tell its format
_SIGNATURES = re.compile(
    rb"\xff\xd8|\x89PNG|GIF8|RIFF.{4}WEBP|....ftypavi[fs]|\0\0\0\x0cjP  |\xff\x4f\xff\x51|II[*+]\0|MM\0[*+]", re.DOTALL
)


class UnsupportedPictureError(ValueError):
    """A picture has an unsupported format; the message follows the file's name: "is a HEIC picture, …"."""


class CostlyPictureError(UnsupportedPictureError):
    """A picture would take far longer to decode than others of its size; the message follows the file's name."""


class TooManyPixelsError(ValueError):
    """A picture is larger than `check_size` allows."""


def check_size(width: int, height: int) -> None:
    """Check a picture's size before allocating memory for its pixels.

    Args:
        width: in pixels.
        height: in pixels.

    Raises:
        TooManyPixelsError: more than `MAX_PIXELS`.
        UnsupportedPictureError: one side has more than `MAX_SIDE_PIXELS`.
    """
    if width * height > MAX_PIXELS:
        raise TooManyPixelsError(f"{width} x {height} pixels are too many")
    if max(width, height) > MAX_SIDE_PIXELS:
        raise UnsupportedPictureError(f"is wider or higher than {MAX_SIDE_PIXELS} pixels. Make it smaller.")


def check_supported(head: bytes) -> None:
    """Check that a file's format is not one that we know but don't support.

    Args:
        head: the first `HEAD_BYTES` of the file.

    Raises:
        UnsupportedPictureError: the file has such a format.
    """
    for pattern, sentence in _PATTERNS:
        if pattern.match(head):
            raise UnsupportedPictureError(sentence)


def has_signature(head: bytes) -> bool:
    """Whether a file begins like a supported picture; if it does but can't be opened, it is damaged.

    Args:
        head: the first `HEAD_BYTES` of the file.
    """
    return _SIGNATURES.match(head) is not None


def raw_file() -> UnsupportedPictureError:
    """The error for a camera's raw file that begins like a TIFF."""
    return UnsupportedPictureError(_RAW)


def candidates(head: bytes) -> tuple[str, ...]:
    """Pillow's names of the formats that a file may have.

    Args:
        head: the first `HEAD_BYTES` of the file.

    Returns:
        The names in the order to try them: `FORMATS`, without PCX if the third byte rules it out.
    """
    # A TGA with ten bytes of comment begins like a PCX. But a PCX goes on with its encoding, 0 or 1.
    if head[:1] == b"\n" and head[2:3] > b"\1":
        return tuple(kind for kind in FORMATS if kind != "PCX")
    return FORMATS
