"""Preparation: read corpus and vectors, and encode them as arrays."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np

from nertool.config.learning import DistillationConfig, FirstStageConfig
from nertool.config.records import Config
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger, counted
from nertool.corpus.parts.hold_out import has_documents, hold_out
from nertool.corpus.parts.overlap import LARGE, overlap
from nertool.corpus.schemes import (
    check_scheme,
    find_scheme,
    irregular_starts,
    keep_labels,
    spans_of,
    split_tag,
    tag_names,
    tags_of,
)
from nertool.errors import CorpusError, did_you_mean
from nertool.files.limits import check_classes
from nertool.formats.labelled import read_labelled, reading_of
from nertool.inputs.encoder import Encoder, coverage
from nertool.inputs.gazetteers import Gazetteers, read_gazetteers
from nertool.inputs.text import Text
from nertool.training.preparation.distil import (
    distilled,
    labels_of,
    with_entities_of,
    with_labels,
)
from nertool.training.preparation.store import (
    RAW_TEXTS,
    Part,
    Prepared,
    Vectors,
    encoder_of,
    input_hashes,
)
from nertool.training.preparation.vectors import starting_vectors
from nertool.training.preparation.warm_start import check_vectors, load_start, with_words

LOUD_COVERAGE = 0.10  # with a lower coverage, the vectors are probably the wrong ones

Report = Callable[[str], None]


def prepare(
    config: Config, report: Report = lambda line: None, ledger: Ledger | None = None
) -> Prepared:
    """Read and encode the corpus and the vectors.

    report: called with a line for each finding. ledger: gets an entry for each label that was altered or
    refused.

    Errors: CorpusError and VectorsError with their place; OSError is passed on.
    """
    ledger = ledger or Ledger()
    inputs = input_hashes(config)
    _report_unused(config, report)
    train, dev = read_parts(config, report, ledger)
    return encode_parts(config, train, dev, inputs, report, ledger)


def _report_unused(config: Config, report: Report) -> None:
    """Report first_stage keys that are set although there is no first stage."""
    own, default = config.first_stage, FirstStageConfig()
    keys = [entry.name for entry in fields(own)]
    unused = [f"first_stage.{k}" for k in keys if getattr(own, k) != getattr(default, k)]
    if unused and not own.folds:
        report(
            f"first_stage.folds is 0: there is no first stage, and {', '.join(unused)} "
            f"{'has' if len(unused) == 1 else 'have'} no effect"
        )


def read_parts(
    config: Config, report: Report, ledger: Ledger
) -> tuple[Corpus | None, Corpus | None]:
    """Read the training part and dev, or hold out a share of the training part as dev.

    The training part is None if training is by distillation alone. Nothing is held out if dev would have no
    entity.
    """
    if config.corpus.train is None:
        if not (config.distillation.teacher and config.distillation.texts):
            raise CorpusError("corpus.train is not set, expected the path of a labelled text")
        if not config.corpus.dev:
            return None, None
        return None, read_part(config, config.corpus.dev, "dev", report, ledger)
    train = read_part(config, config.corpus.train, "train", report, ledger)
    # Checked before holding out, which counts the entities of each class in each document.
    check_classes(len({split_tag(tag)[1] for tag in train.tags} - {""}), train.source)
    if config.corpus.dev:
        dev = read_part(config, config.corpus.dev, "dev", report, ledger)
        _warn_of_overlap(train, dev, report)
        return train, dev
    share = config.corpus.held_out
    if not share:
        return train, None
    unit = "documents" if has_documents(train) else "blocks of sentences"
    rest, dev = hold_out(train, share, config.seed)
    if not rest.sentences or not dev.sentences:
        raise CorpusError(
            f"{train.source}: found {counted(train.sentences, 'sentences')}, too few to hold out "
            f"{100 * share:g} % as dev; set corpus.dev, or corpus.held_out: 0 to train without dev"
        )
    if not _has_entities(dev) and _has_entities(train):
        report(
            f"WARNING: found too few entities to hold some out as dev ({100 * share:g} % of the text), which "
            f"would choose the best epoch: all of the text is trained on, for "
            f"{counted(config.training.epochs, 'epochs')}; label more text"
        )
        return train, None
    report(
        f"dev: no dev part given; held out of train: {counted(dev.sentences, 'sentences')} of "
        f"{train.sentences:,}, {100 * dev.tokens / train.tokens:.0f} % of the tokens, in {unit}"
    )
    return rest, dev


def _warn_of_overlap(train: Corpus, dev: Corpus, report: Report) -> None:
    """Warn if dev shares many sentences with train: its scores would not tell how good the model is on new
    text."""
    found = overlap(dev, train)
    if found.place is None or found.share <= LARGE:
        return
    advice = (
        "the scores on dev will be too high, and the best epoch is chosen by them; keep the two apart: "
        "nertool corpus split, or leave out corpus.dev to hold out a part of train"
    )
    if found.share == 1:
        report(f"WARNING: all of dev is also in train, word for word: {advice}")
        return
    report(
        f"WARNING: {found.shared:,} of {found.sentences:,} sentences of dev ({100 * found.share:.0f} %) "
        f"are also in train, such as {found.place[0]} and {found.place[1]}: {advice}"
    )


def encode_parts(
    config: Config,
    train: Corpus | None,
    dev: Corpus | None,
    inputs: dict[str, Any],
    report: Report,
    ledger: Ledger | None = None,
) -> Prepared:
    """Load the vectors, and encode the parts.

    inputs: the result of input_hashes. In distillation the teacher's texts are appended to the training part,
    which may be None then.
    """
    start = load_start(config)
    if start:
        assert config.training.start
        raw = inputs.get(RAW_TEXTS, [])
        check_vectors(config.training.start, config, start, inputs["sha256"][2:], raw)
    kept: list[str] = []
    if start and train:
        present = labels_of(train)
        kept = [label for label in start.labels if label not in present]
        config = _keeping(config, kept, report)
        known = start.provenance.get("sha256", {}).get("corpus.train")
        if dev and not config.corpus.dev and known == inputs["sha256"][0]:
            report(
                f"WARNING: {config.training.start} was trained on the text that dev is held out of: "
                "the scores on dev will be too high; name other labelled text as corpus.dev"
            )
    # Read from the text's own tags: what follows may add entities, and then writes all of them in IOB2.
    train_scheme, dev_scheme = (
        part and scheme_of(config, part, name, report)
        for part, name in ((train, "train"), (dev, "dev"))
    )
    targets = None
    if config.distillation.teacher:
        train, targets = distilled(config, train, report, ledger or Ledger())
    assert train
    met = train  # without the words of the starting model
    if start:
        train = with_words(with_labels(train, start.labels), start)
    labels = spans_of(train.tag_ids, train.tags, train.sentence_starts).label_names
    if not labels:
        raise CorpusError(
            f"{train.source}: found no entity, all tags are O; expected labelled text "
            "(are the tags in the column corpus.tag_column?)"
        )
    check_classes(len(labels), train.source)
    if dev:
        _refuse_unseen_labels(dev, labels)
        _need_entities(dev)
        kept = [label for label in kept if label not in labels_of(dev)]
        if start and kept:
            report(
                f"start: the dev part has no entity of {', '.join(kept)} either; F1 on dev counts those that "
                f"{config.training.start} finds there as right"
            )
            dev, dev_scheme = with_entities_of(start, dev, kept), "iob2"

    vectors = starting_vectors(config, train, report, dev.words if dev else ())
    encoders = [encoder_of(config, own) for own in vectors]
    covered: list[dict[str, dict[str, int]]] = []  # for each table, by part
    if config.vectors.path or config.vectors.raw_text:
        parts = {name: part for name, part in (("train", met), ("dev", dev)) if part}
        covered = [
            {name: _report_coverage(name, part, encoder, report) for name, part in parts.items()}
            for encoder in (_of_given(config, own) for own in vectors)
        ]
    gazetteers = read_gazetteers(config.features.gazetteers, report)
    for name, corpus in (("train", train), ("dev", dev)):
        if gazetteers and corpus:
            _report_gazetteers(name, corpus, gazetteers, report)
    tags = tag_names(labels, config.decoding.scheme)
    return Prepared(
        labels=labels,
        tags=tags,
        train=replace(
            _encode(train, train_scheme or "iob2", encoders, tags, config), targets=targets
        ),
        dev=_encode(dev, dev_scheme, encoders, tags, config) if dev and dev_scheme else None,
        vectors=vectors,
        inputs=inputs,
        gazetteers=gazetteers,
        coverage=covered,
    )


def _keeping(config: Config, kept: Sequence[str], report: Report) -> Config:
    """Make the starting model the teacher for its classes `kept`, of which the text has no entity."""
    if not kept or config.distillation.teacher:
        return config
    report(
        f"start: the training text has no entity of {', '.join(kept)}; outside of its entities it keeps "
        f"those that {config.training.start} finds"
    )
    keeping = DistillationConfig(teacher=config.training.start, share=0.0)
    return replace(config, distillation=keeping)


def read_part(
    config: Config, paths: Sequence[Path], name: str, report: Report, ledger: Ledger
) -> Corpus:
    """Read one part of the corpus, in the config's format."""
    settings = config.corpus
    try:
        corpus = read_labelled(paths, settings.format, reading_of(settings), ledger, report)
    except CorpusError as error:
        raise CorpusError(f"{error} (corpus.{name})") from None
    if settings.labels:
        corpus = keep_labels(corpus, settings.labels, report)
    report(
        f"{name}: {counted(corpus.tokens, 'tokens')}, {counted(corpus.sentences, 'sentences')}, "
        f"{counted(corpus.documents, 'documents')} in {_source(corpus, paths)} ({corpus.layout})"
    )
    return corpus


def _source(corpus: Corpus, paths: Sequence[Path]) -> str:
    """Describe what a part was read from: one path, or the number of files and the paths that led to them."""
    named = ", ".join(map(str, paths))
    return f"{len(corpus.files):,} files ({named})" if corpus.files else named


def scheme_of(config: Config, corpus: Corpus, name: str, report: Report) -> str:
    """Return the corpus' tag scheme, as set or as detected. Report it, and the entities that violate it."""
    if config.corpus.scheme == "auto":
        scheme = find_scheme(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
        how = "detected"
    else:
        scheme, how = config.corpus.scheme, "set"
        check_scheme(corpus, scheme)
    odd = irregular_starts(corpus.tag_ids, corpus.tags, corpus.sentence_starts, scheme)
    note = ""
    if odd:
        note = (
            f"; {counted(len(odd), 'entities')} not written as the scheme writes them, the first at "
            f"{corpus.place(odd[0])}: read by conlleval's rules"
        )
    report(f"{name}: tag scheme {scheme} ({how}){note}")
    return scheme


def _refuse_unseen_labels(dev: Corpus, labels: Sequence[str]) -> None:
    spans = spans_of(dev.tag_ids, dev.tags, dev.sentence_starts)
    known = set(labels)
    for span in spans.as_list():
        if span.label not in known:
            raise CorpusError(
                f'{dev.place(span.start)}: found the label "{span.label}", which the training part lacks, '
                f"expected one of {', '.join(labels)}{did_you_mean(span.label, labels)}; label some of it "
                f"in the training part, or leave it out by corpus.labels: [{', '.join(labels)}]"
            )


def _need_entities(dev: Corpus) -> None:
    """Refuse a dev part without entities, on which all epochs score the same."""
    if not _has_entities(dev):
        raise CorpusError(
            f"{dev.source}: found no entity in dev, all tags are O; expected labelled text, which chooses "
            "the best epoch (are the tags in the column corpus.tag_column?)"
        )


def _has_entities(corpus: Corpus) -> bool:
    return len(spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)) > 0


def _of_given(config: Config, vectors: Vectors) -> Encoder:
    """Return an encoder that knows only words with a vector, not those that start from random rows."""
    return encoder_of(
        config, vectors._replace(words=vectors.words[: len(vectors.words) - vectors.own])
    )


def _report_coverage(name: str, corpus: Corpus, encoder: Encoder, report: Report) -> dict[str, int]:
    """Report the coverage of a part by the vectors; return its tokens by the step that finds them."""
    covered = coverage(encoder, corpus)
    report(f"vectors: {name}: {covered}")
    if covered.share < LOUD_COVERAGE:
        examples = ", ".join(f'"{word}"' for word in covered.frequent_unknown)
        report(
            f"WARNING: only {100 * covered.share:.1f} % of the {name} tokens have a vector (unknown: "
            f"{examples}); are these vectors for this language, and is corpus.token_column right?"
        )
    return covered.by_step()


def _report_gazetteers(name: str, corpus: Corpus, gazetteers: Gazetteers, report: Report) -> None:
    """Report how many phrases of each gazetteer occur in a part, and how many of its entities they are."""
    spans = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
    entities = set(zip(spans.starts.tolist(), spans.ends.tolist(), strict=True))
    text = Text(corpus.words, corpus.word_ids, corpus.sentence_starts, corpus.document_starts)
    for own, found in zip(gazetteers.names, gazetteers.find(text), strict=True):
        places = set(zip(found.starts.tolist(), found.ends.tolist(), strict=True))
        report(
            f"gazetteer {own}: {name}: {counted(len(places), 'phrases')} found, "
            f"{len(places & entities):,} of them entities"
        )


_WORDS = 1 << 16  # word types encoded at a time


def _encode(
    corpus: Corpus,
    scheme: str,
    encoders: Sequence[Encoder],
    tags: Sequence[str],
    config: Config,
) -> Part:
    spans = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
    V, F = len(corpus.words), encoders[0].padding.shape[1]
    type_ids = np.empty((len(encoders), 2 + V, F), dtype=np.int32)
    for table, encoder in zip(type_ids, encoders, strict=True):
        table[:2] = encoder.padding
        for start in range(0, V, _WORDS):
            words = corpus.words[start : start + _WORDS]
            table[2 + start : 2 + start + len(words)] = encoder.encode(words).ids
    return Part(
        words=corpus.words,
        type_ids=type_ids,
        word_ids=corpus.word_ids,
        tag_ids=tags_of(spans, corpus.sentence_starts, tags, config.decoding.scheme),
        gold_ids=corpus.tag_ids,
        gold_tags=corpus.tags,
        scheme=scheme,
        sentence_starts=corpus.sentence_starts,
        document_starts=corpus.document_starts,
    )
