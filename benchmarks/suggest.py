"""The labels that `nertool suggest` saves, in a simulation: python benchmarks/suggest.py NAME=TRAIN,DEV…

A random part of a labelled text's sentences gets its labels. A model is trained on them, and chooses the next
sentences to label, as `nertool suggest` does. This repeats up to a given size. The baseline is a random
choice. F1 is on dev. The result is the number of sentences, and of tokens, that suggest needs to reach the F1
of a number of random sentences (linearly interpolated between the two enclosing sizes).

    python benchmarks/suggest.py conll2003=train.txt,dev.txt --vectors glove.bin

Every seed draws its own first sentences, and trains its own models. Writes results/suggest.md, .json and
.svg. Results that are already in the .json are not measured again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from statistics import mean
from typing import Any

import numpy as np
from record import DATA, RESULTS, keep, machine

from nertool.config.records import Config
from nertool.config.values import RawValue, build_config
from nertool.corpus.annotated import with_records
from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger
from nertool.corpus.parts.hold_out import take_sentences
from nertool.corpus.record import Reading
from nertool.corpus.schemes import spans_of
from nertool.evaluation.evaluate import compare_with_model
from nertool.formats.labelled import read_labelled
from nertool.suggest.choose import Shortlist, diverse, shortlist_length
from nertool.tagging.annotate import Details, annotate
from nertool.tagging.compiled import CompiledTagger
from nertool.training.experiments.in_memory import single_network, trained_on
from nertool.training.recipe import recipe
from nertool.training.statistics import Statistics

SIZES = (50, 100, 200, 400, 800)
POOL = 6_000  # sentences to choose from, at most
WAYS = ("random", "suggest")


def main() -> None:
    """Simulate on every corpus with every seed, and write the table and the plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("corpora", nargs="+", metavar="NAME=TRAIN,DEV")
    parser.add_argument("--vectors", type=Path, default=DATA / "vectors/glove.6B.50d.bin")
    parser.add_argument("--seeds", type=int, nargs="*", default=[1, 2, 3])
    asked = parser.parse_args()
    before = RESULTS / "suggest.json"
    rows: dict[str, Any] = json.loads(before.read_text())["rows"] if before.is_file() else {}
    for seed in asked.seeds:
        for text in asked.corpora:
            name, _, paths = text.partition("=")
            train, dev = (read(Path(path)) for path in paths.split(","))
            for way in WAYS:
                own = rows.setdefault(name, {}).setdefault(way, {})
                if str(seed) not in own:
                    own[str(seed)] = list(simulated(train, dev, way, seed, asked.vectors))
                    keep("suggest", {"machine": machine("numpy"), "rows": rows}, table(rows))
    print(keep("suggest", {"machine": machine("numpy"), "rows": rows}, table(rows)))
    plot(rows)


def read(path: Path) -> Corpus:
    """Read a labelled text as one document, since sentences are labelled one by one."""
    corpus = read_labelled(path, "auto", Reading(), Ledger(), lambda line: None)
    return replace(corpus, document_starts=np.array([0, corpus.sentences]), records=None)


def config_for(corpus: Corpus, vectors: Path, seed: int) -> Config:
    """Return the recipe's config for a text of this size, for one network without dev."""
    spans = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
    keys = recipe(Statistics(corpus.tokens, 0, len(spans.label_names), len(spans), 0.9, True), "1s")
    keys |= {"seed": seed, "vectors.path": str(vectors), "vectors.limit": 100_000}
    return single_network(build_config({k: RawValue(v, k, Path()) for k, v in keys.items()}))


def simulated(
    corpus: Corpus, dev: Corpus, way: str, seed: int, vectors: Path
) -> Iterator[tuple[int, int, float]]:
    """Label more and more sentences; at each step yield their number, their tokens, and F1 on dev."""
    full = np.flatnonzero(np.diff(corpus.sentence_starts))
    pool = np.random.default_rng([seed, 1]).permutation(full)[:POOL]
    labelled = pool[: SIZES[0]]
    for i, size in enumerate(SIZES, 1):
        part = take_sentences(corpus, np.isin(np.arange(corpus.sentences), labelled))
        with trained_on(config_for(part, vectors, seed), part) as tagger:
            f1 = compare_with_model(tagger, dev)[0].scores.f1
        yield len(labelled), part.tokens, f1
        if i < len(SIZES):
            rest = np.sort(np.setdiff1d(pool, labelled))
            chosen = next_of(corpus, rest, SIZES[i] - size, way, tagger, seed)
            labelled = np.concatenate([labelled, rest[chosen]])


def next_of(
    corpus: Corpus, rest: Any, n: int, way: str, tagger: CompiledTagger, seed: int
) -> list[int]:
    """Choose n of the sentences `rest`; return their indices in it."""
    if way == "random":
        return np.random.default_rng([seed, 2, n]).permutation(len(rest))[:n].tolist()
    part = take_sentences(corpus, np.isin(np.arange(corpus.sentences), rest))
    bare = with_records(part, by_sentence=True)
    shortlist = Shortlist(shortlist_length(n))
    shortlist.add(annotate(tagger, bare, Details(entropy=True), Ledger()))
    return [candidate.order - 1 for candidate in diverse(shortlist.candidates(), n)]


def needed(random: list[Any], chosen: list[Any], column: int) -> list[float | None]:
    """Return, for each size, the share of the random labels that the choice needs to reach the same F1.

    column: 0 for sentences, 1 for tokens. None if the choice reaches this F1 only beyond the sizes.
    """
    amounts = np.array([row[column] for row in chosen], dtype=float)
    best = np.maximum.accumulate([row[2] for row in chosen])
    out: list[float | None] = []
    for row in random:
        after = int(np.searchsorted(best, row[2]))
        if after == len(best):
            out.append(None)
            continue
        if after == 0:
            out.append(amounts[0] / row[column])
            continue
        share = (row[2] - best[after - 1]) / (best[after] - best[after - 1])
        at = amounts[after - 1] + share * (amounts[after] - amounts[after - 1])
        out.append(float(at / row[column]))
    return out


def means(way: dict[str, Any]) -> list[list[float]]:
    """Return the mean over seeds of each size's row."""
    return [
        [mean(values) for values in zip(*rows, strict=True)]
        for rows in zip(*way.values(), strict=True)
    ]


def table(rows: dict[str, Any]) -> list[str]:
    """Return the Markdown table of F1 by size, and of the labels needed."""
    lines = [
        f"| text | seeds | way | {' | '.join(f'{size} sentences' for size in SIZES)} |",
        f"|---|---|---|{'---|' * len(SIZES)}",
    ]
    for name, ways in rows.items():
        if len(ways) < len(WAYS):
            continue
        for way in WAYS:
            cells = [f"{100 * row[2]:.1f} ({row[1]:,.0f} tokens)" for row in means(ways[way])]
            lines.append(f"| {name} | {len(ways[way])} | {way} | {' | '.join(cells)} |")
        random, chosen = (means(ways[way]) for way in WAYS)
        for column, what in enumerate(("sentences", "tokens")):
            shares = needed(random, chosen, column)
            cells = ["–" if share is None else f"{share:.0%}" for share in shares]
            lines.append(f"| {name} | | {what} needed | {' | '.join(cells)} |")
    return lines


def plot(rows: dict[str, Any]) -> None:
    """Plot F1 against labelled sentences for each text: the mean over seeds, and the range."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    matplotlib.rcParams["svg.hashsalt"] = "nertool"
    figure, axes = plt.subplots(1, len(rows), figsize=(4 * len(rows), 3.4), squeeze=False)
    for axis, (name, ways) in zip(axes[0], rows.items(), strict=True):
        for way, colour, mark in (("random", "#d55e00", "s--"), ("suggest", "#0072b2", "o-")):
            f1 = 100 * np.array([[row[2] for row in own] for own in ways[way].values()])
            axis.plot(SIZES, f1.mean(axis=0), mark, color=colour, label=way)
            axis.fill_between(SIZES, f1.min(axis=0), f1.max(axis=0), color=colour, alpha=0.15)
        axis.set(title=name, xlabel="labelled sentences", xscale="log")
        axis.set_xticks(SIZES, [str(size) for size in SIZES])
        axis.minorticks_off()
    axes[0][0].set_ylabel("F1 on dev, %")
    axes[0][0].legend()
    figure.tight_layout()
    figure.savefig(RESULTS / "suggest.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
