import numpy as np
from PIL import Image

from demo.pipeline.detect import FaceFinder


def scaled_across(picture: np.ndarray, factor: float) -> np.ndarray:
    return np.array(Image.fromarray(picture).resize((round(picture.shape[1] * factor), picture.shape[0])))


def test_the_head_angles_are_those_of_the_head(finder: FaceFinder, portrait: np.ndarray) -> None:
    (face,) = finder.find_in_camera_frame(portrait)
    (mirrored,) = finder.find_in_camera_frame(portrait[:, ::-1])
    (turned,) = finder.find_in_photo(np.rot90(portrait))
    assert abs(face.yaw + mirrored.yaw) < 4
    assert abs(face.yaw) < 15
    assert abs(face.pitch) < 15
    assert abs(turned.yaw - face.yaw) < 5  # a head tilted sideways is not turned away
    # Narrower on its right half, as if turned to the picture's left; the left half is stretched as much.
    left, right = portrait[:, :168], portrait[:, 168:]
    aside = np.concatenate([scaled_across(left, 1.4), scaled_across(right, 0.6)], axis=1)
    (face_aside,) = finder.find_in_camera_frame(aside)
    assert face_aside.yaw > face.yaw + 10
