"""Cross-validation: each part is tagged by a model that has not seen it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.errors import TrainingError
from nertool.evaluation.suspects import suspect_row, suspects_of
from nertool.formats.labelled import read_labelled
from nertool.training.experiments import crossvalidation
from nertool.training.experiments.crossvalidation import crossvalidated, fold_of_sentences
from tests.support.spans import corpus_of


def test_documents_are_dealt_out_whole_and_evenly():
    corpus = corpus_of(*[["Ada/B-PER", "x/O", "y/O"]] * 20)
    fold = fold_of_sentences(corpus, 5, seed=1)
    assert (fold.reshape(20, 3) == fold[::3, None]).all()
    assert np.bincount(fold[::3]).tolist() == [4] * 5
    assert (fold == fold_of_sentences(corpus, 5, seed=1)).all()


def test_fewer_sentences_than_folds_are_refused():
    with pytest.raises(TrainingError, match="fewer --folds"):
        fold_of_sentences(corpus_of(["x/O", "y/O"]), 3, seed=1)


@pytest.fixture
def decoded(tiny, config, monkeypatch):
    corpus = read_labelled(tiny / "train.conll", "auto", Reading(), Ledger(), lambda line: None)
    seen = []

    def in_this_process(pieces, workers):
        for piece in pieces:
            records = []
            piece.run(*piece.arguments, records.append)
            seen.append(piece.arguments[3])
            yield from ((piece.name, record) for record in records)

    monkeypatch.setattr(crossvalidation, "run_pieces", in_this_process)
    found = crossvalidated(config, corpus, 3, 1)
    assert seen == [0, 1, 2]
    return corpus, *found


def test_a_planted_slip_is_a_suspect_with_what_the_models_say(decoded, config):
    # The tiny text has every sentence three times, so that the other folds know each of them.
    corpus, text, labels, tags = decoded
    slip = int(np.flatnonzero(np.array(corpus.words)[corpus.word_ids] == "Paris")[0])
    wrong = corpus.tag_ids.copy()
    wrong[slip] = corpus.tags.index("B-PER")
    corpus = replace(corpus, tag_ids=wrong)
    comparison, found = suspects_of(corpus, text, labels, tags, config.decoding.scheme)
    rows = [suspect_row(comparison, suspect, i) for i, suspect in enumerate(found, 1)]
    (row,) = [row for row in rows if row["place"] == comparison.place(slip)]
    assert (row["gold"], row["gold_label"]) == ("Paris", "PER")
    assert row["model_label"] != "PER"
    assert row["p_model"] > row["p_gold"]
    margins = [suspect.margin for suspect in found]
    assert all(-1 <= margin <= 1 for margin in margins)
