import json
from pathlib import Path

from training.report.plots import attributes, training


def test_any_number_of_runs_can_be_told_apart_beside_their_legend(tmp_path: Path) -> None:
    runs = [tmp_path / f"run {number}.jsonl" for number in range(18)]
    for path in runs:
        epochs = [{"images": 1000 * n, "valid/accuracy": 0.5 + n / 10, "train/loss": 1 / n} for n in (1, 2, 4)]
        path.write_text("".join(json.dumps(epoch) + "\n" for epoch in epochs), encoding="utf-8")
    figure = training(runs)
    figure.draw_without_rendering()
    accuracy, loss = figure.axes
    assert len({(line.get_color(), line.get_linestyle(), line.get_marker()) for line in accuracy.lines}) == len(runs)
    assert accuracy.get_ylim()[0] < 90 < accuracy.get_ylim()[1]
    [legend] = figure.legends
    place = legend.get_window_extent()
    assert [text.get_text() for text in legend.get_texts()] == [path.stem for path in runs]
    assert place.y0 >= 0
    assert place.y1 <= figure.bbox.y1
    assert place.x0 >= loss.get_window_extent().x1


def test_runs_are_named_after_their_folders(tmp_path: Path) -> None:
    runs = [tmp_path / name / "metrics.jsonl" for name in ("plain", "best")]
    for path in runs:
        path.parent.mkdir()
        path.write_text(json.dumps({"images": 1000, "valid/accuracy": 0.9, "train/loss": 0.2}) + "\n", encoding="utf-8")
    [legend] = training(runs).legends
    assert [text.get_text() for text in legend.get_texts()] == ["plain", "best"]


def test_dollars_in_a_name_are_no_formula() -> None:
    row = {"attribute": "$x_{$", "accuracy": 0.9, "balanced_accuracy": 0.8, "majority_accuracy": 0.7}
    row |= {"intervals": {"accuracy": (0.8, 0.95), "balanced_accuracy": (0.7, 0.9)}}
    figure = attributes({"attributes": [row], "images": 10, "split": "test"})
    figure.draw_without_rendering()
    assert [text.get_text() for text in figure.axes[0].get_yticklabels()] == ["$x {$"]
