from demo.benchmark.load.visitors import make_films, make_large_photo, make_photos
from demo.limits import SMALL_BODY_BYTES
from demo.pictures.decode import open_picture
from demo.pipeline.detect import FaceFinder
from demo.server.data_url import decode
from demo.server.live import read_frame


def test_somebody_is_alone_in_each_film_where_that_is_asked_for() -> None:
    finder = FaceFinder()
    for film in make_films(6, one_face=True):
        assert len(finder.find(read_frame({"frame": film[0]}), thorough=False)) == 1


def test_films_show_one_to_three_faces_that_are_found_at_the_first_look() -> None:
    finder = FaceFinder()
    for film, faces in zip(make_films(6), (1, 1, 2, 1, 1, 3), strict=True):
        for frame in film[::10]:
            assert len(finder.find(read_frame({"frame": frame}), thorough=False)) == faces


def test_a_large_photo_shows_the_same_and_is_no_small_request() -> None:
    large = make_large_photo()
    assert len(large) > SMALL_BODY_BYTES
    assert (open_picture(decode(large)) == open_picture(decode(make_photos()[0]))).all()
