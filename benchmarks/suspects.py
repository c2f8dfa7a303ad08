"""Planted label errors that `nertool corpus suspects` finds: python benchmarks/suspects.py TEXT CONFIG

3 % of a text's entities get a wrong label, with four equally frequent kinds: another class, a boundary off by
one word, no label, and a label on words that are no entity. Prints precision among the first k, and recall.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from nertool.config.file import load_config
from nertool.corpus.columnar import Corpus, Span
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.corpus.schemes import TagSpans, spans_of, tag_names, tags_of
from nertool.evaluation.suspects import Suspect, suspects_of
from nertool.formats.labelled import read_labelled
from nertool.training.experiments.crossvalidation import crossvalidated

KINDS = ("class", "boundary", "unlabelled", "labelled")


def plant(corpus: Corpus, share: float, seed: int) -> tuple[Corpus, dict[int, str]]:
    """Return the text with planted errors, and the kind of error of each token whose label changed."""
    rng = np.random.default_rng(seed)
    gold = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
    spans = gold.as_list()
    labels = gold.label_names
    n = round(share * len(spans))
    starts = set(corpus.sentence_starts.tolist())
    taken = np.zeros(corpus.tokens, dtype=bool)
    for span in spans:
        taken[span.start : span.end] = True
    kinds = [KINDS[i % 4] for i in range(n)]
    chosen = iter(rng.permutation(len(spans)).tolist())
    out = dict(enumerate(spans))
    added: list[Span] = []
    touched: dict[int, str] = {}
    for kind in kinds:
        if kind == "labelled":
            while True:
                token = int(rng.integers(corpus.tokens))
                word = corpus.words[corpus.word_ids[token]]
                if not taken[token] and word[0].isalpha():
                    break
            taken[token] = True
            added.append(Span(token, token + 1, labels[int(rng.integers(len(labels)))]))
            touched[token] = kind
            continue
        while True:
            i = next(chosen)
            start, end, label = spans[i]
            if kind == "class":
                other = [name for name in labels if name != label]
                out[i] = Span(start, end, other[int(rng.integers(len(other)))])
                touched |= dict.fromkeys(range(start, end), kind)
            elif kind == "unlabelled":
                del out[i]
                touched |= dict.fromkeys(range(start, end), kind)
            elif end - start > 1 and rng.random() < 0.5:
                out[i] = Span(start + 1, end, label)
                touched[start] = kind
            elif end < corpus.tokens and end not in starts and not taken[end]:
                out[i] = Span(start, end + 1, label)
                taken[end] = True
                touched[end] = kind
            else:
                continue
            break
    rows = sorted([*out.values(), *added])
    planted = TagSpans(
        np.array([r.start for r in rows]),
        np.array([r.end for r in rows]),
        np.array([labels.index(r.label) for r in rows], dtype=np.int32),
        labels,
    )
    names = tag_names(labels, "iob2")
    tag_ids = tags_of(planted, corpus.sentence_starts, names, "iob2")
    return replace(corpus, tags=names, tag_ids=tag_ids), touched


def kind_found(suspect: Suspect, touched: dict[int, str]) -> str | None:
    """Return the kind of the planted error that a suspect points at, or None."""
    sides = [span for span in (suspect.finding.gold, suspect.finding.predicted) if span]
    gold, found = (
        set(range(s.start, s.end)) if s else set()
        for s in (suspect.finding.gold, suspect.finding.predicted)
    )
    same = len(sides) == 2 and sides[0].label == sides[1].label
    # A boundary suspect points at the words in which the two differ, all others point at all their words.
    tokens = gold ^ found if same else gold | found
    return next((touched[i] for i in sorted(tokens) if i in touched), None)


def main() -> None:
    """Plant errors, search for them, and print the figures."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("text", type=Path)
    arguments.add_argument("config", type=Path)
    arguments.add_argument("--set", action="append", default=[], dest="overrides")
    arguments.add_argument("--share", type=float, default=0.03)
    arguments.add_argument("--seeds", type=int, default=3)
    asked = arguments.parse_args()
    config = load_config(asked.config, asked.overrides)
    text = read_labelled(asked.text, "auto", Reading(), Ledger(), lambda line: None)
    for seed in range(asked.seeds):
        corpus, touched = plant(text, asked.share, seed)
        decoded, labels, tags = crossvalidated(config, corpus, 5, 2)
        _, found = suspects_of(corpus, decoded, labels, tags, config.decoding.scheme)
        n = round(asked.share * len(spans_of(text.tag_ids, text.tags, text.sentence_starts)))
        hits = [kind_found(suspect, touched) for suspect in found]
        cells = [f"P@{k} {sum(h is not None for h in hits[:k]) / k:.2f}" for k in (20, 50, n)]
        for depth in (n, 2 * n, 4 * n):
            by_kind = [
                f"{kind} {sum(h == kind for h in hits[:depth]) / (n / 4):.2f}" for kind in KINDS
            ]
            total = sum(h is not None for h in hits[:depth]) / n
            cells.append(f"recall in {depth}: {total:.2f} ({', '.join(by_kind)})")
        print(f"seed {seed}: {n} slips, {len(found)} suspects; " + "; ".join(cells), flush=True)


if __name__ == "__main__":
    main()
