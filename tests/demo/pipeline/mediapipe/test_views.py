import numpy as np
import pytest

from demo.pipeline.mediapipe.views import around, cut, ratio, shrink, turn_back


def test_a_window_is_black_outside_the_image() -> None:
    image = np.full((3, 4, 3), 9, np.uint8)
    part = cut(image, (-1, -2, 3, 4))
    assert part.shape == (4, 3, 3)
    assert part[..., 0].tolist() == [[0, 0, 0], [0, 0, 0], [0, 9, 9], [0, 9, 9]]
    assert np.array_equal(cut(image, (1, 0, 2, 3)), image[:, 1:3])


@pytest.mark.parametrize(("longest", "shape"), [(10, (10, 5, 3)), (20, (20, 10, 3)), (500, (20, 10, 3))])
def test_an_image_is_shrunk_but_never_enlarged(longest: int, shape: tuple[int, int, int]) -> None:
    image = np.zeros((20, 10, 3), np.uint8)
    shrunk = shrink(image, longest)
    assert shrunk.shape == shape
    assert ratio(image, shrunk).tolist() == [20 / shape[0]] * 2


def test_the_square_around_a_box_has_its_middle() -> None:
    assert around((100, 50, 20, 40)) == (60, 20, 100, 100)


@pytest.mark.parametrize("quarters", range(4))
def test_points_of_a_turned_image_are_turned_back(quarters: int) -> None:
    image = np.zeros((40, 60), np.uint8)
    image[5, 10] = 1
    turned = np.rot90(image, quarters)
    ((row, column),) = np.argwhere(turned)
    shares = np.array([[(column + 0.5) / turned.shape[1], (row + 0.5) / turned.shape[0]]])
    assert np.allclose(turn_back(shares, quarters), [[10.5 / 60, 5.5 / 40]])
