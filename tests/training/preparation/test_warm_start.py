"""Training that goes on from a model: what it starts from, what it keeps, and what is refused."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nertool.config.file import load_config
from nertool.config.records import Config
from nertool.corpus.ledger import Ledger
from nertool.errors import ModelError
from nertool.inputs.layout import MEMORY
from nertool.inputs.memory import counts_of, remember
from nertool.inputs.text import Text
from nertool.model.load import load_model
from nertool.model.model import Model, score_tokens
from nertool.tagging.compiled import CompiledTagger
from nertool.training.preparation.distil import mixed_targets
from nertool.training.preparation.encode import prepare, read_part
from nertool.training.preparation.warm_start import check_vectors, continued, load_start
from nertool.training.preparation.working import starting_parameters, training_text, working_inputs
from tests.conftest import SENTENCES, as_conll
from tests.support.helpers import change, random_model, run_training

EVERYTHING = (
    "features: {caps: 2, shape: 2, affixes: 2, ngrams: 2, clusters: 2, sentence: 2, document: 2, "
    "neighbours: true, document_vector: true, memory: true}\n"
)


@pytest.fixture(scope="module")
def old(tiny: Path, tmp_path_factory: pytest.TempPathFactory, request) -> Path:
    """A run of every feature on the tiny text without its organisations."""
    folder = tmp_path_factory.mktemp("old")
    text = re.sub(r" [BI]-ORG", " O", as_conll(SENTENCES * 3))
    (folder / "train.conll").write_text(text)
    (folder / "config.yaml").write_text(
        "corpus: {train: train.conll}\n"
        f"vectors: {{path: {tiny}/vectors.txt}}\n"
        "network: {hidden: 16}\n"
        f"training: {{epochs: 8, batch_size: 16, alpha: 0.1}}\n{EVERYTHING}"
    )
    cli = request.getfixturevalue("cli")
    done = cli("train", folder / "config.yaml", "--run-dir", folder / "run")
    assert done.returncode == 0, done.stderr
    return folder / "run"


def going_on(model: Model, start: Path, train: Path) -> Config:
    return replace(
        model.config,
        corpus=replace(model.config.corpus, train=(train,), dev=None),
        training=replace(model.config.training, start=start),
    )


def parameters_of(config: Config, start: Path):
    """Return what training would start from: the model, the prepared text, its layout, the parameters."""
    prepared = prepare(config)
    model = load_start(config)
    assert model is not None
    working = working_inputs(config, prepared, start=model)
    rng = np.random.default_rng(0)
    parameters = continued(
        starting_parameters(config, prepared, working, rng),
        config,
        prepared.tags,
        prepared.labels,
        prepared.vectors[0].words,
        working.rows,
        model,
        model.members[0],
        second=False,
    )
    return model, prepared, working, parameters


def test_with_a_class_more_the_network_scores_the_old_tags_as_the_model_does(old, tmp_path):
    text = tmp_path / "new.conll"
    text.write_text(as_conll(SENTENCES))
    config = going_on(load_model(old), old, text)
    config = replace(config, features=config.features)
    model, prepared, working, parameters = parameters_of(config, old)
    assert prepared.labels == ["LOC", "ORG", "PER"]
    assert model.labels == ["LOC", "PER"]
    # The same memory for both: the counts go on, so that the new network would see others.
    blank = {**parameters, MEMORY: np.zeros_like(parameters[MEMORY])}
    member = model.members[0]
    forgetful = replace(
        model,
        members=(
            member._replace(
                parameters={
                    **member.parameters,
                    MEMORY: np.zeros_like(member.parameters[MEMORY]),
                }
            ),
        ),
    )
    inputs = training_text(config, prepared, working).inputs
    new = score_tokens(blank, config, inputs)
    before = CompiledTagger(forgetful)._scores(prepared.train.text)
    shared = [prepared.tags.index(tag) for tag in model.tags]
    assert new[:, shared] == pytest.approx(before, abs=1e-4)


def test_the_memory_goes_on_counting(old, tmp_path):
    text = tmp_path / "new.conll"
    text.write_text(as_conll(["Ada/B-ORG Babbage/B-LOC met/O Grace/B-PER ./O"]))
    _, prepared, working, _ = parameters_of(going_on(load_model(old), old, text), old)
    assert working.memory is not None
    classes = ["O", *prepared.labels]

    def row(word: str) -> dict[str, float]:
        table = working.memory.table[1 + prepared.train.words.index(word)]
        return {name: share for name, share in zip(classes, table.tolist(), strict=False) if share}

    # In the old text Ada is 6 times PER (3 times in each of 2 sentences), and now once ORG: of 7 + 1.
    assert row("Ada") == pytest.approx({"PER": 6 / 8, "ORG": 1 / 8})
    assert row("Grace") == pytest.approx({"PER": 1 / 2})
    # The new text lacks London, which was seen 6 times as LOC.
    assert row("London") == pytest.approx({"LOC": 6 / 7})


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.integers(0, 50), min_size=3, max_size=3), min_size=1, max_size=5))
def test_counts_can_be_read_from_the_memorys_shares(counts):
    words = [f"w{i}" for i in range(len(counts))]
    flat = [(i, c) for i, row in enumerate(counts) for c, n in enumerate(row) for _ in range(n)]
    ids = np.array([i for i, _ in flat], dtype=np.int32)
    N = len(flat)
    text = Text(words, ids, np.array([0, N]), np.array([0, 1]))
    table = remember(text, np.array([c for _, c in flat], dtype=np.int64), 2).table
    assert counts_of(table[1 : 1 + len(words)].astype(np.float64)).tolist() == counts


def test_classes_that_the_new_text_lacks_keep_the_teachers_probabilities(old, tmp_path):
    text = tmp_path / "new.conll"
    text.write_text(as_conll(["Siemens/B-ORG hired/O Ada/O in/O Berlin/O ./O"]))
    config = going_on(load_model(old), old, text)
    corpus = read_part(config, (text,), "train", lambda line: None, Ledger())
    tagger = CompiledTagger(load_model(old))
    tags = ["O", *(f"{p}-{label}" for label in ("LOC", "ORG", "PER") for p in "BIES")]
    kept, y = mixed_targets(tagger, corpus, 0.0, tags)
    assert y.sum(axis=1) == pytest.approx(np.ones(6), abs=2e-3)
    assert y[0].tolist() == [float(tag == "S-ORG") for tag in tags]
    assert y[2, tags.index("S-PER")] > 0.5
    assert y[4, tags.index("S-LOC")] > 0.5
    of_org = [tags.index(f"{p}-ORG") for p in "BIES"]
    assert not y[1:, of_org].any()
    assert [kept.tags[i] for i in kept.tag_ids] == ["B-ORG", "O", "B-PER", "O", "B-LOC", "O"]


@pytest.mark.parametrize(("berlin", "kept"), [("O", "LOC, PER"), ("B-LOC", "PER")])
def test_a_dev_without_the_kept_classes_gets_the_entities_that_the_model_finds(
    old, tmp_path, berlin, kept
):
    text, dev = tmp_path / "new.conll", tmp_path / "dev.conll"
    text.write_text(as_conll(["Siemens/B-ORG hired/O Ada/O in/O Berlin/O ./O"]))
    dev.write_text(as_conll([f"Siemens/B-ORG hired/O Ada/O in/O Berlin/{berlin} ./O"]))
    config = going_on(load_model(old), old, text)
    said: list[str] = []
    part = prepare(replace(config, corpus=replace(config.corpus, dev=(dev,))), said.append).dev
    assert part is not None
    gold = [part.gold_tags[i] for i in part.gold_ids]
    assert gold == ["B-ORG", "O", "B-PER", "O", "B-LOC", "O"]
    assert [
        line for line in said if line.startswith(f"start: the dev part has no entity of {kept} ")
    ]


# The command


def test_a_class_more_is_learnt_and_the_others_are_kept(old, tmp_path, main):
    text = tmp_path / "orgs.conll"
    text.write_text(re.sub(r" [BI]-(PER|LOC)", " O", as_conll(SENTENCES * 2)))
    dev = tmp_path / "dev.conll"
    dev.write_text(as_conll(SENTENCES))
    done = main(
        "train", text, "--start", old, "--dev", dev, "--run-dir", tmp_path / "new", "--json"
    )
    assert done.returncode == 0, done.stderr
    assert "the training text has no entity of LOC, PER; outside" in done.stderr
    types = load_model(tmp_path / "new").provenance["dev"]["types"]
    assert {name: row["f1"] > 0.7 for name, row in types.items()} == {
        "LOC": True,
        "ORG": True,
        "PER": True,
    }


def test_a_run_from_a_model_resumes_to_the_same_bytes(old, tmp_path, main):
    text = tmp_path / "more.conll"
    text.write_text(as_conll(SENTENCES * 2))
    common = (
        "train",
        text,
        "--start",
        old,
        "--set",
        "corpus.held_out=0",
        "--set",
        "training.refit=false",
    )
    assert main(*common, "--run-dir", tmp_path / "whole").returncode == 0
    part = (*common, "--run-dir", tmp_path / "part")
    assert main(*part, "--set", "training.epochs=3").returncode == 0
    assert main(*part, "--resume").returncode == 0
    arrays = [tmp_path / name / "best" / "model.safetensors" for name in ("whole", "part")]
    assert arrays[0].read_bytes() == arrays[1].read_bytes()


def test_its_first_epoch_is_better_than_the_first_one_without_a_model(
    run_dir, tiny, tmp_path, main
):
    config = ("train", tiny / "config.yaml", "--set", "training.epochs=1")
    scores = {}
    for name, more in {"anew": (), "on": ("--from", run_dir)}.items():
        done = main(*config, *more, "--run-dir", tmp_path / name, "--json")
        assert done.returncode == 0, done.stderr
        scores[name] = load_model(tmp_path / name).provenance["dev"]["f1"]
    assert scores["on"] > scores["anew"] + 0.1


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("network.hidden", "8", "network.hidden: 16, expected 8"),
        ("windows.size", "3", "windows.size: 5, expected 3"),
        ("features.shape", "4", "features.shape: 0, expected 4"),
        ("decoding.scheme", "io", "decoding.scheme: bioes, expected io"),
    ],
)
def test_a_model_of_another_form_is_refused(run_dir, tiny, tmp_path, main, key, value, said):
    options = ("--start", run_dir, "--set", f"{key}={value}", "--run-dir", tmp_path / "run")
    done = main("train", tiny / "config.yaml", *options)
    assert done.returncode == 1
    assert said in done.stderr


def test_other_vectors_than_the_models_are_refused(run_dir, tiny, tmp_path, main):
    vectors = tmp_path / "other.txt"
    vectors.write_text("".join(f"{word} 1 2 3 4 5 6 7 8\n" for word in ("ada", "in", "paris")))
    options = ("--start", run_dir, "--vectors", vectors, "--run-dir", tmp_path / "run")
    done = main("train", tiny / "config.yaml", *options)
    assert done.returncode == 1
    assert "found a model that was trained with other vectors" in done.stderr


RAW, NO_FILE = (Path("raw.txt"),), {"path": None}


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        (
            {"features": {"clusters": 2}},
            {"vectors": {"limit": 9}},
            "vectors.limit: none, expected 9",
        ),
        ({"vectors": NO_FILE}, {"vectors": {"width": 7}}, "vectors.width: 50, expected 7"),
        (
            {"vectors": {"raw_text": RAW}},
            {"vectors": {"width": 7}},
            "vectors.width: 50, expected 7",
        ),
        ({"vectors": {"raw_text": RAW}}, {"seed": 4}, "seed: 1, expected 4"),
        (
            {"vectors": {"raw_text": RAW}},
            {"vectors": {"raw_text": None}},
            "other vectors of raw text",
        ),
        ({}, {"vectors": {"raw_text": RAW}}, "no vectors of raw text"),
        (
            {"vectors": {"more": RAW}},
            {"vectors": {"side_by_side": True}},
            "vectors.side_by_side: false, expected true",
        ),
    ],
)
def test_settings_that_make_other_vectors_or_clusters_are_refused(config, before, now, said):
    theirs = change(config, **before)
    seed = {"seed": now["seed"]} if "seed" in now else {}
    own = replace(change(theirs, **{k: v for k, v in now.items() if k != "seed"}), **seed)

    def raw(config: Config) -> list[str]:
        return ["hash"] * len(config.vectors.raw_text or ())

    model = random_model()
    kept = {"sha256": {"vectors": ["v"], "vectors.raw_text": raw(theirs)}}
    model = replace(model, config=theirs, provenance=kept)
    check_vectors(Path("m"), theirs, model, ["v"], raw(theirs))
    with pytest.raises(ModelError, match=re.escape(said)):
        check_vectors(Path("m"), own, model, ["v"], raw(own))


def test_other_raw_text_is_refused_where_the_model_says_which_it_was_trained_with(config):
    own = change(config, vectors={"raw_text": RAW})
    model = replace(random_model(), config=own, provenance={"sha256": {"vectors": ["v"]}})
    check_vectors(Path("m"), own, model, ["v"], ["another"])  # of an older nertool
    kept = {"sha256": {"vectors": ["v"], "vectors.raw_text": ["one"]}}
    with pytest.raises(ModelError, match="other vectors of raw text"):
        check_vectors(Path("m"), own, replace(model, provenance=kept), ["v"], ["another"])


def two_stages(full_config, **more):
    """Return a config in two stages without a memory, whose counts would go on."""
    return change(
        full_config,
        features={"memory": False},
        network={"members": 1},
        vectors={"more": None},
        first_stage={"window": 3, "max_pooling": True, "epochs": 1},
        training={"epochs": 2, **more},
    )


@pytest.mark.parametrize("keep", ["whole", "folds"])
def test_both_stages_go_on_from_those_of_the_model(keep, full_config, tmp_path, in_this_process):
    in_this_process()
    config = change(two_stages(full_config), first_stage={"keep": keep})
    run_training(config, tmp_path / "old")
    # Without a step the new model is the old one.
    same = change(config, training={"start": tmp_path / "old", "alpha": 0.0, "epochs": 1})
    run_training(same, tmp_path / "new")
    old, new = (load_model(tmp_path / name) for name in ("old", "new"))
    assert len(new.first_stage) == len(old.first_stage)
    text = prepare(config).dev.text
    scores = [CompiledTagger(model).scores(text) for model in (old, new)]
    np.testing.assert_allclose(scores[1], scores[0], rtol=1e-4, atol=1e-5)
    run_training(change(same, training={"alpha": 0.05}), tmp_path / "further")
    further = load_model(tmp_path / "further")
    assert (further.first_stage[0].weights.W != old.first_stage[0].weights.W).any()
    assert (further.members[0].weights.W != old.members[0].weights.W).any()


def test_weights_of_a_first_stage_stay_with_their_tag_when_a_class_is_added(
    full_config, tmp_path, in_this_process
):
    in_this_process()
    config = two_stages(full_config)
    run_training(change(config, corpus={"labels": ("LOC", "PER")}), tmp_path / "old")
    more = change(config, training={"start": tmp_path / "old", "alpha": 0.0, "epochs": 1})
    run_training(more, tmp_path / "new")
    models = [load_model(tmp_path / name) for name in ("old", "new")]
    assert [model.labels for model in models] == [["LOC", "PER"], ["LOC", "ORG", "PER"]]
    of_tags = []
    for model in models:
        W, T = model.members[0].weights.W, len(model.tags)
        # From the end of x: the window of 3 words, the maxima, and the means with their bit.
        blocks = [W[:, -(5 - i) * T : -(4 - i) * T or None] for i in range(1, 5)]
        means = W[:, -5 * T - 1 : -4 * T - 1]
        of_tags.append(
            {tag: [b[:, i] for b in (means, *blocks)] for i, tag in enumerate(model.tags)}
        )
    assert of_tags[0].keys() < of_tags[1].keys()
    for tag, columns in of_tags[0].items():
        np.testing.assert_array_equal(of_tags[1][tag], columns)


def test_a_first_stage_where_the_model_has_none_is_refused(old, full_config, full_run_dir):
    plain = load_model(old).config
    stages = ("a first stage", "no first stage")
    for config, start, (found, expected) in (
        (plain, full_run_dir, stages),
        (full_config, old, stages[::-1]),
    ):
        with pytest.raises(ModelError, match=f"found a model with {found}, expected {expected}"):
            load_start(change(config, training={"start": start}))
    other = change(full_config, training={"start": full_run_dir}, first_stage={"window": 9})
    with pytest.raises(ModelError, match=r"first_stage\.window: \d, expected 9"):
        load_start(other)
    other = change(
        full_config,
        training={"start": full_run_dir},
        vectors={"more_for": "first_stage"},
    )
    with pytest.raises(ModelError, match=r"vectors\.more_for: all, expected first_stage"):
        load_start(other)


@pytest.mark.parametrize(("scheme", "tag"), [("io", "ORG"), ("bioes", "S-ORG")])
def test_the_text_s_own_tag_scheme_is_read_before_the_model_adds_entities(
    old, tmp_path, scheme, tag
):
    # The model also finds LOC and PER, and its entities are added to the text in IOB2.
    text = tmp_path / "more.conll"
    text.write_text(f"Acme {tag}\nis O\nin O\nLondon O\n\n" * 3)
    model = load_model(old)
    config = going_on(model, old, text)
    for own in (scheme, "auto"):
        lines: list[str] = []
        set_to = replace(config, corpus=replace(config.corpus, scheme=own))
        prepared = prepare(set_to, lines.append)
        assert f"train: tag scheme {scheme} ({'detected' if own == 'auto' else 'set'})" in lines
        assert (prepared.train.scheme, prepared.labels) == (scheme, ["LOC", "ORG", "PER"])


def test_a_dev_that_the_model_was_trained_on_is_warned_of(old, tmp_path):
    model = load_model(old)
    [text] = load_config(old / "config.yaml").corpus.train
    other = tmp_path / "other.conll"
    other.write_text(text.read_text() + "Bo B-PER\nslept O\n\n")
    for train, warned in ((text, True), (other, False)):
        config = going_on(model, old, train)
        config = replace(config, corpus=replace(config.corpus, held_out=0.2))
        lines: list[str] = []
        prepare(config, lines.append)
        said = [line for line in lines if "was trained on the text that dev is held out of" in line]
        assert bool(said) == warned
