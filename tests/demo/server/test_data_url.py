import base64
import tracemalloc

import numpy as np
import pytest

from demo.pictures.decode import open_picture
from demo.server.data_url import decode, encode_jpeg, is_jpeg, jpeg_url, to_base64


@pytest.mark.parametrize("text", ["aGk=", "data:image/png;base64,aGk=", "data:,aGk=", "aG\nk=\n", " a G k = "])
def test_a_file_comes_bare_or_in_an_address_and_in_lines(text: str) -> None:
    assert decode(text) == b"hi"


@pytest.mark.parametrize("text", ["a", "&&&&", "picture.jpg", "data:image/png;base64,aGk", "aGk=\u00e9"])
def test_what_is_not_base64_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"[Bb]ase64|ASCII|padding"):
        decode(text)


def test_spaces_between_all_characters_take_no_more_memory_than_the_text() -> None:
    text = "QUJ " * 250_000
    tracemalloc.start()
    try:
        decode(text)
        assert tracemalloc.get_traced_memory()[1] < 4 * len(text)
    finally:
        tracemalloc.stop()


def test_what_is_encoded_is_decoded_to_the_same() -> None:
    assert decode(to_base64(b"\0\xff")) == decode(jpeg_url(b"\0\xff")) == b"\0\xff"
    assert is_jpeg(jpeg_url(b""))
    assert not is_jpeg("data:image/png;base64,")
    assert not is_jpeg(base64.b64encode(b"\xff\xd8\xff").decode())


def test_a_jpeg_keeps_the_order_of_colours() -> None:
    picture = open_picture(encode_jpeg(np.full((20, 30, 3), (200, 30, 60), np.uint8), 90))
    assert picture.shape == (20, 30, 3)
    assert np.abs(picture.reshape(-1, 3).mean(0) - (200, 30, 60)).max() < 4
