from demo.benchmark.load.visitors import make_films
from demo.pipeline.detect import FaceFinder
from demo.server.live import read_frame


def test_films_show_one_to_three_faces_that_are_found_at_the_first_look() -> None:
    finder = FaceFinder()
    for film, faces in zip(make_films(6), (1, 1, 2, 1, 1, 3), strict=True):
        for frame in film[::10]:
            assert len(finder.find(read_frame({"frame": frame}), thorough=False)) == faces
