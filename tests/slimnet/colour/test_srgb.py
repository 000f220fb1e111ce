import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from demo.pictures.decode import open_picture
from slimnet.colour.icc_profile import adobe_rgb, coded_profile, gamma_profile
from slimnet.colour.srgb import profile_of, to_srgb
from tests.fakes.pictures import chunk, portrait, rgb, saved, with_chunks

RGB = rgb(portrait())
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
P3 = coded_profile(12, 13)
assert P3 is not None
# x and y of red, green and blue, then the exponent of the tone curve, or None for sRGB's.
SPACES = {
    "p3": (P3, (0.680, 0.320, 0.265, 0.690, 0.150, 0.060), None),
    "adobe": (adobe_rgb(), (0.64, 0.33, 0.21, 0.71, 0.15, 0.06), 563 / 256),
}


def encoded(values: np.ndarray, space: str) -> np.ndarray:
    """sRGB colours, float (…, 3) from 0 to 1, converted to a wider space with the same white, by its definition."""
    _, primaries, gamma = SPACES[space]

    def to_xyz(corners: tuple[float, ...]) -> np.ndarray:
        columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in zip(corners[::2], corners[1::2], strict=True)]).T
        return columns * np.linalg.solve(columns, [0.3127 / 0.3290, 1, (1 - 0.3127 - 0.3290) / 0.3290])

    linear = np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)
    srgb = to_xyz((0.64, 0.33, 0.30, 0.60, 0.15, 0.06))
    wide = np.clip(linear @ np.linalg.solve(to_xyz(primaries), srgb).T, 0, 1)
    if gamma is not None:
        return wide ** (1 / gamma)
    return np.where(wide <= 0.0031308, wide * 12.92, 1.055 * wide ** (1 / 2.4) - 0.055)


def wide(space: str) -> Image.Image:
    return Image.fromarray(np.rint(encoded(RGB / 255, space) * 255).astype(np.uint8))


@pytest.mark.parametrize("space", SPACES)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP"])
def test_wide_colours_become_those_of_srgb(space: str, kind: str) -> None:
    image = wide(space)
    assert np.abs(rgb(image).astype(int) - RGB).max() > 12
    frame = open_picture(saved(image, kind, icc_profile=SPACES[space][0], lossless=True))
    assert np.abs(frame.astype(int) - RGB).max() <= 3


def test_a_jpeg_from_a_phone_looks_as_its_copy_in_srgb() -> None:
    from_phone = open_picture(saved(wide("p3"), "JPEG", quality=100, subsampling=0, icc_profile=P3))
    copy = open_picture(saved(portrait(), "JPEG", quality=100, subsampling=0))
    assert np.abs(from_phone.astype(int) - copy).mean() < 1.2


@pytest.mark.parametrize("profile", [SRGB, b"", b"nonsense", SRGB[:300], SRGB + bytes(5_000_000), P3[:200]])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "CMYK"])
def test_srgb_and_profiles_that_cannot_be_used_change_nothing(profile: bytes, mode: str) -> None:
    image = portrait().convert(mode)
    plain = saved(image, "TIFF")
    for _ in range(2):
        assert np.array_equal(open_picture(saved(image, "TIFF", icc_profile=profile)), open_picture(plain))


@pytest.mark.parametrize("profile", ["text", 2.5, -3, 2**31])
def test_what_is_no_profile_is_none(profile: object) -> None:
    image = portrait()
    image.info["icc_profile"] = profile
    assert profile_of(image) == b""


@pytest.mark.parametrize("profile", ["text", 2**31])
def test_a_tag_that_holds_no_profile_changes_nothing(profile: object) -> None:
    tags = ImageFileDirectory_v2()
    tags[34675] = profile
    file = io.BytesIO()
    portrait().save(file, "TIFF", tiffinfo=tags)
    assert np.array_equal(open_picture(file.getvalue()), open_picture(saved(portrait(), "TIFF")))


def test_a_profile_that_is_larger_than_a_caller_allows_is_not_read() -> None:
    image = wide("p3")
    assert P3
    assert to_srgb(image, P3, len(P3) - 1) is image
    assert to_srgb(image, P3, len(P3)) is not image


def test_the_page_bounds_profiles_by_its_own_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert P3
    file, plain = saved(wide("p3"), "PNG", icc_profile=P3), saved(wide("p3"), "PNG")
    monkeypatch.setattr("demo.pictures.decode.MAX_PROFILE_BYTES", len(P3))
    assert not np.array_equal(open_picture(file), open_picture(plain))
    monkeypatch.setattr("demo.pictures.decode.MAX_PROFILE_BYTES", len(P3) - 1)
    assert np.array_equal(open_picture(file), open_picture(plain))


def test_transparency_is_kept() -> None:
    image = wide("p3").convert("RGBA")
    image.putalpha(100)
    frame = open_picture(saved(image, "PNG", icc_profile=P3))
    assert np.abs(frame - (RGB * (100 / 255) + 155)).max() <= 3
    palette = wide("p3").quantize(32)
    frame = open_picture(saved(palette, "PNG", icc_profile=P3, transparency=5))
    assert np.all(frame[np.asarray(palette) == 5] == 255)


def profile_with(tags: dict[bytes, bytes], kind: bytes, space: bytes, connection: bytes) -> bytes:
    table, body = struct.pack(">I", len(tags)), b""
    for name, data in tags.items():
        data += bytes(-len(data) % 4)
        table += name + struct.pack(">II", 128 + 4 + 12 * len(tags) + len(body), len(data))
        body += data
    length = 128 + len(table) + len(body)
    head = struct.pack(">I4xI4s4s4s12x4s28x", length, 0x02100000, kind, space, connection, b"acsp")
    return (head + struct.pack(">3i", 63190, 65536, 54061)).ljust(128, b"\0") + table + body


def grey_profile(gamma: float) -> bytes:
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", 63190, 65536, 54061)
    curve = b"curv\0\0\0\0" + struct.pack(">IHxx", 1, round(gamma * 256))
    return profile_with({b"wtpt": white, b"kTRC": curve}, b"mntr", b"GRAY", b"XYZ ")


def test_greys_are_converted() -> None:
    values = np.arange(256, dtype=np.uint8)[None]
    linear = (values / 255) ** 1.8
    expected = np.where(linear <= 0.0031308, linear * 12.92, 1.055 * linear ** (1 / 2.4) - 0.055) * 255
    for image in (Image.fromarray(values), Image.fromarray(values.astype(np.uint16) * 257)):
        frame = open_picture(saved(image, "PNG", icc_profile=grey_profile(1.8)))
        assert np.abs(frame[..., 0] - expected).max() <= 1.5
    colours = saved(portrait(), "PNG", icc_profile=grey_profile(1.8))  # made for pictures of another kind
    assert np.array_equal(open_picture(colours), RGB)


def exif(index: str, colour_space: int) -> bytes:
    """An EXIF block as cameras write it for Adobe RGB: a part within a part names the space."""
    block = Image.Exif()
    block.get_ifd(0x8769).update({0xA001: colour_space, 0xA005: {1: index}})
    return block.tobytes()


def test_adobe_rgb_that_only_exif_names_is_converted() -> None:
    options = {"quality": 100, "subsampling": 0}
    plain = open_picture(saved(wide("adobe"), "JPEG", **options))
    named = open_picture(saved(wide("adobe"), "JPEG", exif=exif("R03", 65535), **options))
    assert np.abs(named.astype(int) - RGB).max() <= 6 < np.abs(plain.astype(int) - RGB).max()
    assert np.array_equal(open_picture(saved(wide("adobe"), "JPEG", exif=exif("R98", 2), **options)), named)
    for index, space in (("R98", 1), ("R98", 65535), ("R03", 1)):
        assert np.array_equal(open_picture(saved(wide("adobe"), "JPEG", exif=exif(index, space), **options)), plain)


def test_colours_that_png_chunks_describe_are_converted() -> None:
    png = saved(wide("p3"), "PNG")
    assert np.abs(open_picture(with_chunks(png, chunk(b"cICP", b"\x0c\x0d\0\1"))).astype(int) - RGB).max() <= 3
    assert np.array_equal(open_picture(with_chunks(png, chunk(b"cICP", b"\x01\x0d\0\1"))), rgb(wide("p3")))
    assert np.array_equal(open_picture(with_chunks(png, chunk(b"cICP", b"\x09\x10\0\1"))), rgb(wide("p3")))  # HDR
    adobe = struct.pack(">8I", 31270, 32900, 64000, 33000, 21000, 71000, 15000, 6000)
    gamma = chunk(b"gAMA", struct.pack(">I", 45455 * 220 // 219))
    png = saved(wide("adobe"), "PNG")
    described = open_picture(with_chunks(png, chunk(b"gAMA", struct.pack(">I", 42000)), chunk(b"cHRM", adobe)))
    assert described[50, 45].tolist() != rgb(wide("adobe"))[50, 45].tolist()
    # What programs write for sRGB.
    srgb = struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)
    png = saved(portrait(), "PNG")
    for chunks in ([gamma], [gamma, chunk(b"cHRM", srgb)], [chunk(b"sRGB", b"\0"), chunk(b"gAMA", b"\0\1\0\0")]):
        assert np.array_equal(open_picture(with_chunks(png, *chunks)), RGB)
    for numbers in (bytes(32), b"\xff" * 32):
        open_picture(with_chunks(png, chunk(b"gAMA", b"\0\0\x40\0"), chunk(b"cHRM", numbers)))


def test_a_gamma_alone_is_applied() -> None:
    linear = np.where(RGB / 255 <= 0.04045, RGB / 255 / 12.92, ((RGB / 255 + 0.055) / 1.055) ** 2.4)
    image = Image.fromarray(np.rint(linear ** (1 / 1.8) * 255).astype(np.uint8))
    described = with_chunks(saved(image, "PNG"), chunk(b"gAMA", struct.pack(">I", round(100_000 / 1.8))))
    assert np.abs(open_picture(described).astype(int) - RGB).max() <= 4
    assert gamma_profile(0, None) == b""


def test_colours_that_avif_and_jpeg_2000_describe_are_converted() -> None:
    avif = saved(wide("p3"), "AVIF", quality=100, subsampling="4:4:4")
    place = avif.index(b"colrnclx") + 8
    described = avif[:place] + b"\0\x0c\0\x0d" + avif[place + 4 :]
    assert np.abs(open_picture(described).astype(int) - RGB).mean() < 2.5
    assert np.abs(open_picture(avif).astype(int) - RGB).mean() > 4

    jp2 = saved(wide("p3"), "JPEG2000")
    header, colours = jp2.index(b"jp2h") - 4, jp2.index(b"colr") - 4
    length, old = (int.from_bytes(jp2[at : at + 4], "big") for at in (header, colours))
    assert P3
    new = struct.pack(">I", len(P3) + 11) + b"colr\2\0\0" + P3
    jp2 = (
        jp2[:header]
        + struct.pack(">I", length - old + len(new))
        + jp2[header + 4 : colours]
        + new
        + jp2[colours + old :]
    )
    assert np.abs(open_picture(jp2).astype(int) - RGB).max() <= 3


def press_profile() -> bytes:
    """A profile of a press on which cyan alone prints a middle grey, L 50, and any black ink prints black."""
    corners = [(0 if k else 128 if c else 255, 128, 128) for c in (0, 1) for _ in range(4) for k in (0, 1)]
    ramp = bytes(range(256))
    table = b"mft1" + struct.pack(">4x4B9i", 4, 3, 2, 0, 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table += ramp * 4 + bytes(sum(corners, ())) + ramp * 3
    white = struct.pack(">3i", 63190, 65536, 54061)
    tags = {b"wtpt": b"XYZ \0\0\0\0" + white, b"A2B0": table}
    return profile_with(tags, b"prtr", b"CMYK", b"Lab ")


def test_press_colours_follow_their_profile() -> None:
    image = Image.new("CMYK", (3, 1))
    for x, ink in enumerate(((0, 0, 0, 0), (255, 0, 0, 0), (0, 0, 0, 255))):
        image.putpixel((x, 0), ink)
    frame = open_picture(saved(image, "TIFF", icc_profile=press_profile()))
    assert np.abs(frame[0].astype(int) - [[255] * 3, [119] * 3, [0] * 3]).max() <= 2
    assert open_picture(saved(image, "TIFF"))[0, 1].tolist() == [0, 255, 255]
    mismatched = saved(portrait(), "TIFF", icc_profile=press_profile())
    assert np.array_equal(open_picture(mismatched), RGB)


def test_profiles_are_read_by_the_colour_engine() -> None:
    for profile, (_, corners, _) in ((entry[0], entry) for entry in SPACES.values()):
        engine = ImageCms.ImageCmsProfile(io.BytesIO(profile)).profile
        assert engine.xcolor_space.strip() == "RGB"
        assert engine.red_colorant is not None
        assert corners
