import json
from pathlib import Path

from demo.about import EVALUATION, about


def test_it_tells_the_figures_of_the_evaluation(tmp_path: Path) -> None:
    names = ["Bald", "Bangs", "Big_Nose", "Young", "5_o_Clock_Shadow", "<b>"]
    figures = {
        "split": "test",
        "images": 12345,
        "accuracy": 0.9123,
        "majority_accuracy": 0.8,
        "balanced_accuracy": 0.7651,
        "attributes": [{"attribute": name, "balanced_accuracy": 0.5 + place / 10} for place, name in enumerate(names)],
    }
    path = tmp_path / "evaluation.json"
    path.write_text(json.dumps(figures))
    told = about(path)
    assert all(figure in told for figure in ("91.2", "80.0", "76.5", "12,345", "6 attributes"))
    best = "&lt;b&gt; (100&thinsp;%), 5 o'Clock Shadow (90&thinsp;%)".replace("'", "&#x27;")
    assert f"Most reliable: {best}" in told
    assert "Least reliable: Bald (50&thinsp;%), Bangs (60&thinsp;%)" in told


def test_the_shipped_evaluation_is_told() -> None:
    accuracy = json.loads(EVALUATION.read_text())["accuracy"]
    assert f"{100 * accuracy:.1f}" in about()
