from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageFile

from demo.pictures.decode import PictureError, open_picture
from demo.pictures.formats import SUFFIXES
from tests.fakes.pictures import page, portrait, rgb, saved, tiff

HEIC, RAW, VIDEO = "HEIC picture.*Save it as JPEG", "camera's raw file.*Export it as JPEG", "video, not a picture"


def box(brands: bytes) -> bytes:
    return b"\0\0\0" + bytes([8 + len(brands)]) + b"ftyp" + brands + bytes(60)


@pytest.mark.parametrize(
    ("head", "message"),
    [
        (box(b"heic\0\0\0\0mif1heic"), HEIC),
        (box(b"heix\0\0\0\0mif1heix"), HEIC),
        (box(b"mif1\0\0\0\0mif1heic"), HEIC),
        (box(b"msf1\0\0\0\0msf1hevc"), HEIC),
        (b"\xff\x0a" + bytes(50), "JPEG XL picture.*Save it as JPEG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), "JPEG XL picture"),
        (box(b"crx \0\0\0\1crx isom"), RAW),
        (b"II*\0\x10\0\0\0CR\2\0" + bytes(50), RAW),
        (b"IIU\0\x18\0\0\0" + bytes(50), RAW),
        (b"IIRO\x08\0\0\0" + bytes(50), RAW),
        (b"FUJIFILMCCD-RAW 0201" + bytes(50), RAW),
        (b"FOVb" + bytes(50), RAW),
        (b"II\xbc\1" + bytes(50), "JPEG XR"),
        (b"8BPS\0\1" + bytes(50), "Photoshop file"),
        (b"%PDF-1.7\n" + bytes(50), "PDF document"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "EPS or PostScript"),
        (b'<?xml version="1.0"?>\n<!-- made by hand -->\n<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG drawing"),
        (b"<svg width='9'>", "SVG drawing"),
        (b"<!DOCTYPE html>\n<html>", "web page"),
        (b"qoif" + bytes(50), "QOI picture"),
        (b"v/1\x01" + bytes(50), "OpenEXR"),
        (b"#?RADIANCE\n", "Radiance HDR"),
        (bytes(128) + b"DICM" + bytes(50), "DICOM"),
        ((b"G" + bytes(187)) * 9, VIDEO),
        (box(b"isom\0\0\2\0isomiso2mp41"), VIDEO),
        (box(b"qt  \0\0\2\0qt  "), VIDEO),
        (b"\0\0\0\x08wide\0\0\1\0mdat" + bytes(50), VIDEO),
        (b"RIFF\0\0\1\0AVI LIST" + bytes(50), VIDEO),
        (b"\x1aE\xdf\xa3" + bytes(50), VIDEO),
        (b"PK\3\4" + bytes(50), "archive"),
        (b"\0\5\x16\7\0\2\0\0Mac OS X", "side information"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        *((head + bytes(9), "damaged or cut off") for head in (b"\xff\xd8\xff\xe0", b"GIF89a", b"\x89PNG\r\n\x1a\n")),
        (box(b"avif\0\0\0\0avifmif1"), "damaged or cut off"),
        (bytes(3000), "not a picture of a known format"),
    ],
)
@pytest.mark.parametrize("suffix", ["jpg", "tga"])
def test_what_is_not_read_is_named_by_its_content(head: bytes, message: str, suffix: str, tmp_path: Path) -> None:
    path = tmp_path / f"holiday.{suffix}"
    path.write_bytes(head)
    with pytest.raises(PictureError, match=f"'holiday.{suffix}' .*{message}"):
        open_picture(path)


def test_pixels_are_not_taken_for_the_signature_of_another_format() -> None:
    gif = saved(portrait().quantize(200), "GIF")
    for data in (gif[:188] + b"G" + gif[189:], gif[:188] + b"G" + gif[189:376] + b"G" + gif[377:]):
        assert open_picture(data).shape == (110, 90, 3)  # 188 bytes are a packet of some videos
    for value in (b"CR", b"II", b"MM"):
        values = np.frombuffer(value * 5000, np.uint8).reshape(100, 100)
        assert np.array_equal(open_picture(tiff(page(values, 1)))[..., 0], values)


LOSSLESS: dict[str, dict[str, bool]] = {
    "PNG": {},
    "GIF": {},
    "BMP": {},
    "DIB": {},
    "TIFF": {},
    "PPM": {},
    "TGA": {},
    "PCX": {},
    "JPEG2000": {},
}
LOSSLESS |= {"WEBP": {"lossless": True}}


@pytest.mark.parametrize("kind", LOSSLESS)
@pytest.mark.parametrize("suffix", ["jpg", "png", "tga", "nef", ""])
def test_a_name_that_lies_does_no_harm(kind: str, suffix: str, tmp_path: Path) -> None:
    image = portrait().quantize(200) if kind == "GIF" else portrait()
    path = tmp_path / f"holiday.{suffix}"
    path.write_bytes(saved(image, kind, **LOSSLESS[kind]))
    assert np.array_equal(open_picture(path), rgb(image))


def test_a_codestream_of_jpeg_2000_and_avif_under_its_general_brand_are_read() -> None:
    assert np.array_equal(open_picture(saved(portrait(), "JPEG2000", no_jp2=True)), rgb(portrait()))
    avif = saved(portrait(), "AVIF")
    assert np.array_equal(open_picture(avif.replace(b"ftypavif", b"ftypmif1", 1)), open_picture(avif))


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "MPO", "TIFF", "AVIF"])
def test_no_other_frame_is_ever_sought(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    others = {"MPO": portrait(200, 220), "TIFF": portrait(100, 110)}  # of the same size in an animation
    data = saved(portrait(), kind, save_all=True, append_images=[others.get(kind, portrait().rotate(90))])
    plain = open_picture(data)

    def first_only(seek: Callable[[Image.Image, int], None]) -> Callable[[Image.Image, int], None]:
        def sought(image: Image.Image, frame: int) -> None:
            assert frame == 0, "another frame is sought"
            seek(image, frame)

        return sought

    Image.init()
    plugin: Any
    for plugin in (Image.Image, ImageFile.ImageFile, *ImageFile.ImageFile.__subclasses__()):
        if "seek" in vars(plugin):
            monkeypatch.setattr(plugin, "seek", first_only(plugin.seek))
    assert np.array_equal(open_picture(data), plain)
    assert plain.shape == (110, 90, 3)


def test_suffixes_hold_what_people_have() -> None:
    names = ".jpg .jpeg .pjpeg .pjp .jfif .png .apng .j2k .jpf .jpx .jp2 .webp .tif .ico .cur .tga .avif"
    not_read = ".heic .hif .jxl .dng .nef .cr2 .cr3 .arw .raf .orf .rw2 .psd .svg .pdf"
    assert set((names + " " + not_read).split()) <= SUFFIXES
    assert not {".txt", ".xmp", ".json", ".mp4", ".mov", ".zip", ".html"} & SUFFIXES
