"""Bootstrap intervals: by hand, against a plain loop, and how often they cover the truth."""

from __future__ import annotations

import numpy as np

from nertool.evaluation.comparison import compare_files
from nertool.evaluation.intervals import (
    UnitCounts,
    bootstrap_intervals,
    intervals_as_dict,
    measures_of,
    resampled,
    unit_counts,
    unit_of,
)
from tests.support.spans import corpus_of


def test_counts_by_unit_worked_by_hand():
    gold = corpus_of(["Ada/B-PER Rome/B-LOC", "Bob/B-PER"], ["Rome/B-LOC x/O"])
    other = corpus_of(["Ada/B-PER Rome/B-PER", "Bob/O"], ["Rome/B-LOC x/B-LOC"])
    comparison = compare_files(gold, other)
    by_sentence = unit_counts(comparison, "conlleval", "sentence")
    assert by_sentence.labels == ("LOC", "PER")
    # All, LOC, PER; each: right of gold, right of predicted, gold, predicted.
    assert by_sentence.counts.tolist() == [
        [[1, 1, 2, 2], [0, 0, 1, 0], [1, 1, 1, 2]],
        [[0, 0, 1, 0], [0, 0, 0, 0], [0, 0, 1, 0]],
        [[1, 1, 1, 2], [1, 1, 1, 2], [0, 0, 0, 0]],
    ]
    by_document = unit_counts(comparison, "conlleval", "document")
    assert by_document.counts[:, 0].tolist() == [[1, 1, 3, 2], [1, 1, 1, 2]]
    assert unit_of(comparison) == "sentence"  # two documents are too few


def test_measures_of_counts_are_undefined_where_a_ratio_is_over_nothing():
    found = measures_of(np.array([[1, 1, 2, 4], [0, 0, 2, 0], [0, 0, 0, 3], [0, 0, 0, 0]], float))
    np.testing.assert_allclose(
        found,
        [[1 / 4, 1 / 2, 1 / 3], [np.nan, 0, 0], [0, np.nan, 0], [np.nan, np.nan, np.nan]],
    )


def test_a_sample_has_as_many_units_and_its_total_is_theirs():
    counts = np.arange(12.0).reshape(6, 2)
    seen = np.concatenate(list(resampled(counts, 5000, np.random.default_rng(0))))
    assert seen.shape == (5000, 2)
    # Column 1 is column 0 plus one in each unit: so always plus six in a sample of six units.
    np.testing.assert_array_equal(seen[:, 1] - seen[:, 0], 6)
    assert abs(seen[:, 0].mean() - counts[:, 0].sum()) < 0.5


def test_the_interval_is_that_of_a_plain_loop():
    rng = np.random.default_rng(1)
    right = rng.binomial(3, 0.7, 30)
    counts = np.stack([right, right, np.full(30, 3), np.full(30, 3)], axis=1).astype(float)
    units = UnitCounts(np.stack([counts, counts], axis=1), ("X",), "sentence")
    found = bootstrap_intervals(units, seed=0, samples=4000)
    plain = [right[rng.integers(0, 30, 30)].sum() / 90 for _ in range(4000)]
    np.testing.assert_allclose(found[0, 2], np.quantile(plain, [0.025, 0.975]), atol=0.012)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found, bootstrap_intervals(units, seed=0, samples=4000))


def test_a_measure_that_most_samples_do_not_have_has_no_interval():
    counts = np.zeros((10, 1, 4))
    counts[0, 0] = [1, 1, 1, 1]  # in one unit of ten: some 35 % of samples miss it
    found = bootstrap_intervals(UnitCounts(counts, (), "sentence"))
    assert np.isnan(found).all()


def test_intervals_by_document_cover_the_truth_at_their_nominal_rate():
    # Documents of one to ten entities, each with an accuracy of its own: entities of one document are
    # alike, as in real text. A fixed seed; of 400 texts, three standard deviations are 4.5 %.
    rng = np.random.default_rng(2)

    def text(documents: int) -> np.ndarray:
        gold = rng.integers(1, 11, documents)
        right = rng.binomial(gold, rng.beta(8, 2, documents))
        predicted = right + rng.poisson(0.15 * gold)
        return np.stack([right, right, gold, predicted], axis=1)[:, None].astype(float)

    truth = measures_of(text(1_000_000).sum(axis=0))[0]
    covered = np.zeros(3)
    for _ in range(400):
        found = bootstrap_intervals(UnitCounts(text(50), (), "document"), 0, 200, 0.9)
        covered += (found[0, :, 0] <= truth) & (truth <= found[0, :, 1])
    assert np.abs(covered / 400 - 0.9).max() < 0.045, covered / 400


def test_intervals_as_JSON_name_what_was_drawn():
    corpus = corpus_of(*[["Ada/B-PER x/O"]] * 25)
    found = intervals_as_dict(compare_files(corpus, corpus), "conlleval")
    assert (found["unit"], found["units"], found["level"]) == ("document", 25, 0.95)
    assert found["f1"] == [1.0, 1.0]
    assert found["types"]["PER"]["recall"] == [1.0, 1.0]
    nothing = corpus_of(["x/O", "y/O"])
    assert intervals_as_dict(compare_files(nothing, nothing), "partial")["f1"] is None
