"""The Python API: words in, entities out."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, repeat
from pathlib import Path

import pytest

import nertool
from nertool.config.file import load_config

SENTENCE = ["Ada", "Lovelace", "met", "Charles", "Babbage", "in", "London", "."]
OTHERS = [
    ["It", "rained", "all", "day", "."],
    ["Siemens", "hired", "Ada", "in", "Berlin", "."],
    ["Paris"],
    [],
    ["New", "York", "Times", "reporters", "flew", "to", "Paris", "."] * 9,
]


@pytest.fixture(scope="module")
def tagger(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> nertool.Tagger:
    """A tagger that knows the tiny text by heart."""
    config = load_config(tiny / "config.yaml", ["training.epochs=60", "training.alpha=0.3"])
    return nertool.train(config, tmp_path_factory.mktemp("api") / "run").tagger


def test_a_sentences_entities_have_place_class_text_and_probability(tagger):
    entities = tagger.tag(SENTENCE)
    assert [(e.start, e.end, e.label, e.text) for e in entities] == [
        (0, 2, "PER", "Ada Lovelace"),
        (3, 5, "PER", "Charles Babbage"),
        (6, 7, "LOC", "London"),
    ]
    # It has learnt them by heart, and is sure of them, but never more than that.
    assert all(0.5 < entity.probability <= 1.0 for entity in entities)
    assert all(type(value) in (int, str, float) for e in entities for value in vars(e).values())
    assert tagger.labels == ["LOC", "ORG", "PER"]


def test_probabilities_lie_above_0_and_not_above_1_for_a_model_that_is_unsure(run_dir):
    tagger = nertool.load(run_dir)
    sentences = [SENTENCE, *OTHERS, ["Zork", "Charles", "of", "Berlin"] * 5, SENTENCE[::-1]]
    entities = [entity for found in tagger.tag_sentences(sentences) for entity in found]
    assert len(entities) > 20
    assert all(0.0 < entity.probability <= 1.0 for entity in entities)
    assert len({entity.probability for entity in entities}) > 10
    assert min(entity.probability for entity in entities) < 0.9


def test_a_path_may_be_text_or_a_path_of_a_run_or_of_a_model(run_dir):
    expected = nertool.load(run_dir).tag(SENTENCE)
    for path in (str(run_dir), run_dir / "best", str(run_dir / "best")):
        assert nertool.load(path).tag(SENTENCE) == expected


def test_nothing_in_nothing_out(tagger):
    assert tagger.tag([]) == []
    assert list(tagger.tag_sentences([])) == []
    assert list(tagger.tag_sentences([[], []])) == [[], []]
    assert [bool(found) for found in tagger.tag_sentences([[], SENTENCE, []])] == [
        False,
        True,
        False,
    ]


def test_a_sentence_alone_is_tagged_as_in_company(tagger):
    batch = list(tagger.tag_sentences([OTHERS[4], SENTENCE, *OTHERS]))
    alone = [tagger.tag(sentence) for sentence in [OTHERS[4], SENTENCE, *OTHERS]]
    assert len(batch) == 7
    for together, single in zip(batch, alone, strict=True):
        for a, b in zip(together, single, strict=True):
            assert (a.start, a.end, a.label, a.text) == (b.start, b.end, b.label, b.text)
            assert a.probability == pytest.approx(b.probability, rel=1e-4)


def test_words_may_come_in_any_sequence_and_stay_as_they_are(tagger):
    given = tuple(SENTENCE)
    assert tagger.tag(given) == tagger.tag(SENTENCE)
    assert given == tuple(SENTENCE)
    assert tagger.tag(["", " ", "a b", "\n", "😀", "x" * 10_000]) is not None


def test_a_long_stream_is_tagged_a_piece_at_a_time(tagger):
    def stream() -> Iterator[list[str]]:
        yield from repeat(SENTENCE, 6000)
        pytest.fail("read to its end for three sentences")

    found = list(islice(tagger.tag_sentences(stream()), 3))
    assert [[entity.text for entity in entities] for entities in found] == [
        ["Ada Lovelace", "Charles Babbage", "London"]
    ] * 3


def test_no_more_is_read_than_a_piece_and_nothing_before_it_is_asked_for(tagger):
    read = []
    stream = tagger.tag_sentences(read.append(i) or ["London"] for i in range(9000))
    assert read == []
    next(stream)
    assert 1 <= len(read) <= 2048


def test_pieces_join_without_a_seam(tagger):
    # More sentences than a piece holds, each of them another.
    sentences = [(*SENTENCE, str(i)) for i in range(2050)]
    found = list(tagger.tag_sentences(sentences))
    assert len(found) == 2050
    assert [e.text for e in found[2049]] == [e.text for e in tagger.tag(sentences[2049])]


def test_training_gives_the_tagger_that_loading_gives(tiny, tmp_path):
    run_dir = tmp_path / "run"
    trained = nertool.train(tiny / "config.yaml", run_dir)
    assert trained.tagger.tag(SENTENCE) == nertool.load(run_dir).tag(SENTENCE)
    with pytest.raises(nertool.NertoolError, match="found a run"):
        nertool.train(str(tiny / "config.yaml"), str(run_dir))
    again = nertool.train(str(tiny / "config.yaml"), str(run_dir), overwrite=True)
    assert again.tagger.tag(SENTENCE) == trained.tagger.tag(SENTENCE)
    other = load_config(tiny / "config.yaml", ["training.epochs=1", "seed=3"])
    assert nertool.train(other, tmp_path / "other").tagger.tag(SENTENCE) != trained.tagger.tag(
        SENTENCE
    )


def test_training_prints_nothing(tiny, tmp_path, capfd):
    nertool.train(load_config(tiny / "config.yaml", ["training.epochs=1"]), tmp_path / "run")
    assert capfd.readouterr() == ("", "")


def test_what_is_wrong_is_raised_as_an_error_of_ours(tmp_path):
    with pytest.raises(nertool.NertoolError, match="no such folder"):
        nertool.load(tmp_path / "nowhere")
    with pytest.raises(nertool.NertoolError, match="no such file"):
        nertool.train(tmp_path / "nowhere.yaml", tmp_path / "run")
    assert list(tmp_path.iterdir()) == []


def test_the_package_offers_what_it_names_and_nothing_else():
    for name in set(nertool.__all__) - {"__version__"}:
        assert getattr(nertool, name).__name__ == name
    with pytest.raises(AttributeError, match="no attribute 'laod'"):
        nertool.laod  # noqa: B018


def test_what_is_no_path_is_refused():
    with pytest.raises(TypeError, match=r"path: found 3, expected the path of a model"):
        nertool.load(3)  # type: ignore[arg-type]
