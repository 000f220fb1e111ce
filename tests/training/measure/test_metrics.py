import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as sklearn_metrics

from training.measure import bootstrap, metrics, scores
from training.measure.subgroups import Answers


@pytest.fixture(scope="module")
def answers() -> Answers:
    """Probabilities with many ties for 90 pictures and 4 attributes, all known."""
    rng = np.random.default_rng(0)
    labels = rng.random((90, 4)) < (0.5, 0.1, 0.8, 0.3)
    probabilities = np.clip(0.3 * labels + rng.random((90, 4)) * 0.7, 0, 1).round(1)
    return Answers(tuple("abcd"), labels, probabilities, np.array([True, False, True, False]), np.ones_like(labels))


def test_figures_of_a_case_worked_out_by_hand() -> None:
    labels = np.array([[1, 1], [1, 1], [1, 1], [0, 1]], bool)
    probabilities = np.array([[0.9, 0.9], [0.8, 0.1], [0.3, 0.9], [0.4, 0.9]])
    found = Answers(("a", "b"), labels, probabilities, np.array([False, True]), np.ones_like(labels)).figures()
    expected = {
        "accuracy": 0.75, "balanced_accuracy": (2 / 3 + 1) / 2, "precision": 1.0, "recall": 2 / 3, "f1": 0.8,
        "average_precision": (1 + 1 + 3 / 4) / 3, "roc_auc": 2 / 3, "majority_accuracy": 0.25, "positive_share": 0.75,
    }  # fmt: skip
    assert {name: values[0] for name, values in found.items()} == pytest.approx(expected)
    # With only one class there is nothing to balance or to rank.
    assert np.isnan(found["balanced_accuracy"][1])
    assert np.isnan(found["roc_auc"][1])
    assert found["recall"][1] == 0.75


def test_samples_of_many_pictures_are_the_same_together_and_alone() -> None:
    count = 600_000
    rng = np.random.default_rng(0)
    labels = rng.random((count, 1)) < 0.3
    many = Answers(("a",), labels, (labels + rng.random((count, 1))) / 2, np.array([False]), np.ones_like(labels))
    draws = bootstrap.draw(np.arange(count) % 100, 14)
    together = many.resampled(draws)
    for sample in (0, 7, 13):
        for name, values in many.resampled(draws[sample : sample + 1]).items():
            np.testing.assert_allclose(together[name][sample], values[0], rtol=1e-6, err_msg=name)


def test_a_sample_that_is_the_whole_gives_the_figures_themselves(answers: Answers) -> None:
    found = answers.resampled(np.ones((1, 90), np.float32))
    assert found.keys() == set(metrics.FIGURES)
    for name, values in answers.figures().items():
        np.testing.assert_allclose(found[name][0], values, rtol=1e-6, err_msg=name)


def test_samples_have_the_figures_that_scikit_learn_gives_for_the_same_weights(answers: Answers) -> None:
    labels, probabilities = answers.labels, answers.probabilities
    weights = bootstrap.draw(np.arange(90), 3)
    found = answers.resampled(weights)
    for sample, weight in enumerate(weights):
        for n in range(4):
            given = {"y_true": labels[:, n], "sample_weight": weight}
            ticked = {**given, "y_pred": probabilities[:, n] > 0.5}
            ranked = {**given, "y_score": probabilities[:, n]}
            guessed = {**given, "y_pred": np.full(90, answers.majority[n])}
            expected = {
                "accuracy": sklearn_metrics.accuracy_score(**ticked),
                "balanced_accuracy": sklearn_metrics.balanced_accuracy_score(**ticked),
                "precision": sklearn_metrics.precision_score(**ticked),
                "recall": sklearn_metrics.recall_score(**ticked),
                "f1": sklearn_metrics.f1_score(**ticked),
                "average_precision": sklearn_metrics.average_precision_score(**ranked),
                "roc_auc": sklearn_metrics.roc_auc_score(**ranked),
                "majority_accuracy": sklearn_metrics.accuracy_score(**guessed),
            }
            assert {name: found[name][sample, n] for name in expected} == pytest.approx(expected, abs=1e-6)


def test_intervals_hold_the_figure_and_shrink_with_more_pictures(answers: Answers) -> None:
    values, samples = answers.figures(), answers.resampled(bootstrap.draw(np.arange(90), 500))
    four_times = answers.only(np.tile(np.arange(90), 4))
    more = four_times.resampled(bootstrap.draw(np.arange(360), 500))
    few, many = (scores.mean_scores(values, found).intervals["accuracy"] for found in (samples, more))
    assert few
    assert many
    assert few[0] < np.mean(values["accuracy"]) < few[1]
    assert (few[1] - few[0]) / (many[1] - many[0]) == pytest.approx(2, rel=0.15)


def test_the_standard_error_of_a_mean() -> None:
    values = np.random.default_rng(0).normal(2, 3, 900)
    mean, error = metrics.mean_with_error(values, np.arange(900))
    assert mean == values.mean()
    assert error == pytest.approx(stats.sem(values), rel=0.01)


def test_four_alike_pictures_of_each_person_tell_no_more_than_one() -> None:
    values = np.random.default_rng(0).normal(2, 3, 900)
    person = np.arange(900)
    once, fourfold = (
        metrics.mean_with_error(values, person),
        metrics.mean_with_error(np.tile(values, 4), np.tile(person, 4)),
    )
    assert fourfold == pytest.approx(once)
    draws = bootstrap.draw(np.tile(person, 4), 2000)
    assert (draws[:, :900] == draws[:, 900:1800]).all()
    spread = (draws @ np.tile(values, 4) / draws.sum(axis=1)).std()
    assert spread == pytest.approx(once[1], rel=0.1)


def test_what_is_not_defined_is_none_and_left_out_of_the_mean() -> None:
    labels = np.array([[1, 0], [0, 0], [1, 0], [0, 0]], bool)
    probabilities = np.array([[0.9, 0.1], [0.2, 0.1], [0.8, 0.2], [0.1, 0.3]])
    answers = Answers(("a", "b"), labels, probabilities, np.array([True, False]), np.ones_like(labels))
    values, samples = answers.figures(), answers.resampled(bootstrap.draw(np.arange(4), 50))
    first, second = scores.attribute_scores(answers.names, answers.known, values, samples)
    assert (first.precision, first.roc_auc, second.accuracy) == (1.0, 1.0, 1.0)
    undefined = ("balanced_accuracy", "precision", "recall", "f1", "average_precision", "roc_auc")
    assert [getattr(second, name) for name in undefined] == [None] * 6
    assert [second.intervals[name] for name in undefined] == [None] * 6
    assert scores.mean_scores(values, samples).precision == 1.0


def test_the_gain_over_the_majority_class_is_judged_on_the_same_pictures() -> None:
    labels = np.tile(np.arange(100) < 20, (1, 1)).T
    probabilities = np.where(labels, 0.9, 0.1)
    probabilities[:15] = 0.1  # 5 of the 20 are found, and none that are not there
    answers = Answers(("a",), labels, probabilities, np.array([False]), np.ones_like(labels))
    samples = answers.resampled(bootstrap.draw(np.arange(100), 400))
    (found,) = scores.attribute_scores(answers.names, answers.known, answers.figures(), samples)
    accuracy, gain = found.intervals["accuracy"], found.intervals["above_majority"]
    assert accuracy
    assert gain
    assert found.accuracy
    assert found.majority_accuracy
    assert accuracy[0] < found.majority_accuracy < found.accuracy
    assert gain[0] > 0


def test_figures_and_samples_are_of_known_labels_alone(answers: Answers) -> None:
    labels, probabilities, majority = answers.labels, answers.probabilities, answers.majority
    known = np.random.default_rng(1).random(labels.shape) < (0.6, 0.6, 0.6, 0.0)
    weights = bootstrap.draw(np.arange(90), 5)
    some = Answers(answers.names, labels & known, probabilities, majority, known)
    values, samples = some.figures(), some.resampled(weights)
    for n in range(3):
        there, all_known = known[:, n], np.ones((known[:, n].sum(), 1), bool)
        column = Answers(
            answers.names[n : n + 1], labels[there, n : n + 1], probabilities[there, n : n + 1], majority[n : n + 1],
            all_known,
        )  # fmt: skip
        for name, expected in column.figures().items():
            assert values[name][n] == pytest.approx(expected[0], nan_ok=True)
        for name, expected in column.resampled(weights[:, there]).items():
            np.testing.assert_allclose(samples[name][:, n], expected[:, 0], rtol=1e-6, err_msg=name)
    found = scores.attribute_scores("abcd", known, values, samples)
    assert [each.known for each in found] == known.sum(axis=0).tolist()
    assert {getattr(found[3], name) for name in metrics.FIGURES} == set(found[3].intervals.values()) == {None}
    assert scores.mean_scores(values, samples).accuracy == pytest.approx(values["accuracy"][:3].mean(), abs=1e-6)


def test_means_over_known_values() -> None:
    values = np.array([[1.0, 5.0, 9.0], [2.0, 7.0, 9.0], [6.0, 0.0, 9.0]])
    known = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0]], bool)
    weights = np.array([[1, 1, 1], [3, 1, 0]], np.float32)
    found = metrics.known_means(values, known, weights)
    np.testing.assert_allclose(found, [[1.5, 5, np.nan], [1.25, 5, np.nan]])
    assert metrics.by_picture(values, known).mean() == (1.5 + 5) / 2
    assert metrics.by_picture(values, np.ones_like(known)).tolist() == pytest.approx(values.mean(axis=1).tolist())
    np.testing.assert_allclose(metrics.shares(values > 1, known), [0.5, 1, np.nan])
