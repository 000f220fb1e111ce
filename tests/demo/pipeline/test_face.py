import numpy as np

from demo.pipeline.face import Box, Detection, overlap, same_face, suppress_overlaps


def detection(*box: float) -> Detection:
    x, y, width, height = box
    return Detection((x, y, width, height), np.zeros((4, 2), np.float32), 0.9, 0)


def test_overlap_is_a_share_of_the_smaller_box() -> None:
    large: Box = (0, 0, 100, 100)
    assert overlap(large, (40, 40, 20, 20)) == 1
    assert overlap((90, 0, 20, 20), large) == 0.5
    assert overlap(large, (100, 0, 20, 20)) == overlap(large, (300, 300, 20, 20)) == 0


def test_of_overlapping_boxes_the_first_is_kept() -> None:
    first, inside, beside = detection(0, 0, 100, 100), detection(40, 40, 20, 20), detection(90, 0, 100, 100)
    assert suppress_overlaps([first, inside, beside]) == [first, beside]
    assert suppress_overlaps([inside, first]) == [inside]
    assert same_face(first, inside)
    assert not same_face(first, beside)


def test_of_many_boxes_the_same_are_kept_as_if_they_were_compared_one_by_one() -> None:
    places = np.random.default_rng(0).uniform((0, 0, 5, 5), (300, 300, 60, 60), (300, 4))
    found = [detection(*box) for box in places.tolist()]
    kept: list[Detection] = []
    for one in found:
        if not any(same_face(one, other) for other in kept):
            kept.append(one)
    assert suppress_overlaps(found) == kept
    assert 20 < len(kept) < 200
    assert suppress_overlaps([]) == []


def test_a_detection_is_mapped_to_the_larger_image_by_pixel_centres() -> None:
    small = Detection((2, 4, 10, 20), np.array([[0.5, 1.5]] * 4, np.float32), 0.9, 0)
    large = small.mapped(np.array([4.0, 2.0]), (100, 50))
    assert large.box == (108, 58, 40, 40)
    assert large.points.tolist() == [[103.5, 53.5]] * 4
