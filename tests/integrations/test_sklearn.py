"""The scikit-learn estimator, as its users use it: pipelines, searches, cross-validation, copies."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

pytest.importorskip("sklearn", minversion="1.6")

from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import estimator_checks

import nertool
from nertool.sklearn import NerTagger

SENTENCES = [
    "Ada/B-PER Lovelace/I-PER met/O Charles/B-PER in/O London/B-LOC ./O",
    "The/O museums/O in/O Paris/B-LOC are/O amazing/O ./O",
    "Siemens/B-ORG hired/O Ada/B-PER in/O Berlin/B-LOC ./O",
    "Charles/B-PER left/O London/B-LOC for/O New/B-LOC York/I-LOC ./O",
    "It/O rained/O all/O day/O ./O",
] * 4
X = [[item.rpartition("/")[0] for item in line.split()] for line in SENTENCES]
Y = [[item.rpartition("/")[2] for item in line.split()] for line in SENTENCES]
TEXTS = [" ".join(tokens) for tokens in X]
PLAIN = {"training": {"batch_size": 16}, "decoding": {"scheme": "bioes"}}


def spans(text: str, *found: tuple[str, str]) -> list[tuple[int, int, str]]:
    return sorted((text.index(w), text.index(w) + len(w), label) for w, label in found)


def estimator(**parameters) -> NerTagger:
    return NerTagger(PLAIN, **{"hidden": 16, "epochs": 25, "alpha": 0.3, **parameters})


@pytest.fixture(scope="module")
def fitted() -> NerTagger:
    return estimator().fit(X, Y)


def test_tokens_and_tags_are_learnt_and_scored(fitted):
    assert fitted.predict(X[:3]) == Y[:3]
    assert fitted.score(X, Y) == 1.0
    assert len(fitted.history_) == 25
    wrong = [["O"] * len(tags) for tags in Y]
    assert fitted.score(X, wrong) == 0.0


def test_predicted_tags_are_in_the_scheme_of_y():
    bioes = [[{"B-PER": "S-PER"}.get(tag, tag) for tag in tags] for tags in Y[1:3] * 6]
    bioes = [[tag.replace("B-", "S-") for tag in tags] for tags in bioes]
    model = estimator().fit(X[1:3] * 6, bioes)
    assert model.scheme_ == "bioes"
    assert model.predict(X[1:3]) == bioes[:2]


def test_texts_and_spans_are_learnt_and_scored():
    text = "Ada Lovelace met Charles in London."
    other = "Siemens hired Ada in Berlin."
    y = [
        spans(text, ("Ada Lovelace", "PER"), ("Charles", "PER"), ("London", "LOC")),
        spans(other, ("Siemens", "ORG"), ("Ada", "PER"), ("Berlin", "LOC")),
    ] * 8
    model = estimator().fit([text, other] * 8, y)
    assert model.predict([text, other]) == [sorted(s) for s in y[:2]]
    assert model.score([text, other], y[:2]) == 1.0
    assert model.score([text], [np.array(y[0], dtype=object).tolist()]) == 1.0


def test_probabilities_are_distributions_over_the_classes(fitted):
    for p, tokens in zip(fitted.predict_proba([*X[:3], []]), [*X[:3], []], strict=True):
        assert p.shape == (len(tokens), len(fitted.classes_))
        np.testing.assert_allclose(p.sum(axis=1), 1.0)
    p = fitted.predict_proba(TEXTS[:1])[0]
    assert [str(fitted.classes_[i]).split("-")[-1] for i in p.argmax(axis=1)] == [
        tag.split("-")[-1] for tag in Y[0]
    ]


def test_parameters_can_be_read_set_and_cloned(fitted):
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "tagger_")
    assert copy.set_params(hidden=7).hidden == 7
    assert "hidden=7" in repr(copy)
    with pytest.raises(NotFittedError):
        copy.predict(X)
    with pytest.raises(ValueError, match="Invalid parameter 'hiden'"):
        copy.set_params(hiden=3)


def test_it_stands_in_pipelines_cross_validation_and_searches():
    lower = FunctionTransformer(lambda rows: [[t.lower() for t in tokens] for tokens in rows])
    model = Pipeline([("lower", lower), ("ner", estimator(epochs=30))])
    model.fit(X, Y)
    assert model.score(X, Y) > 0.8
    assert model.predict([["LONDON"]]) == model.predict([["london"]])
    scores = cross_val_score(estimator(epochs=10), X, Y, cv=2)
    assert scores.shape == (2,)
    search = GridSearchCV(estimator(), {"epochs": [1, 20]}, cv=2, n_jobs=2, error_score="raise")
    search.fit(X, Y)
    assert search.best_params_ == {"epochs": 20}
    assert search.best_estimator_.predict(X[:1]) == Y[:1]


def test_one_seed_gives_one_model_and_copies_tag_alike(fitted, tmp_path):
    again = estimator().fit(X, Y)
    for p, q in zip(fitted.predict_proba(X), again.predict_proba(X), strict=True):
        np.testing.assert_array_equal(p, q)
    assert pickle.loads(pickle.dumps(fitted)).predict(X) == fitted.predict(X)
    fitted.save(tmp_path / "model")
    loaded = NerTagger.load(tmp_path / "model")
    assert isinstance(loaded, nertool.Tagger)
    assert loaded.tag_tokens(X[:1]).tags() == Y[0]


@pytest.mark.parametrize(
    ("X", "y", "error", "message"),
    [
        ([], [], ValueError, "found no text"),
        (X[:2], Y[:1], ValueError, "found 2 texts and 1 lists"),
        ([["Ada"]], [["O", "O"]], ValueError, r"X\[0\]: found 1 tokens and 2 tags"),
        (["Ada", ["Ada"]], [[], []], TypeError, "found texts and token lists"),
        ([[1, 2]], [["O", "O"]], TypeError, r"X\[0\]: found no text"),
        (["Ada"], [[(0, 9, "PER")]], nertool.NertoolError, r"^X\[0\]: .*within the text's 3"),
    ],
)
def test_what_does_not_fit_is_refused(X, y, error, message):
    with pytest.raises(error, match=message):
        estimator().fit(X, y)


# Those of scikit-learn's checks that do not feed tables of numbers.
CHECKS = [
    "check_estimator_cloneable",
    "check_estimator_repr",
    "check_no_attributes_set_in_init",
    "check_parameters_default_constructible",
    "check_get_params_invariance",
    "check_set_params",
    "check_estimator_tags_renamed",
    "check_valid_tag_types",
    "check_mixin_order",
]


@pytest.mark.parametrize("name", CHECKS)
def test_scikit_learn_s_own_checks(name):
    getattr(estimator_checks, name)("NerTagger", NerTagger())
