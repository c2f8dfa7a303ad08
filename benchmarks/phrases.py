"""The cost of lists of phrases: tagging with 100,000 rules against tagging without, on one thread.

  python benchmarks/phrases.py MODEL [--phrases 100000]

The phrases are the entities of the text that is tagged (CoNLL-2003, train), and names composed of their
words. Both variants take turns. The result is the median of all rounds.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

for library in ("OPENBLAS", "MKL", "OMP"):
    os.environ.setdefault(f"{library}_NUM_THREADS", "1")

import numpy as np  # noqa: E402
from record import DATA, check_data  # noqa: E402

from nertool.corpus.columnar import Corpus  # noqa: E402
from nertool.corpus.ledger import Ledger  # noqa: E402
from nertool.corpus.schemes import spans_of  # noqa: E402
from nertool.formats.labelled import read_labelled, reading_of  # noqa: E402
from nertool.inputs.text import Text  # noqa: E402
from nertool.inputs.word_types import WordTypes  # noqa: E402
from nertool.model.load import load_model  # noqa: E402
from nertool.tagging.analyse import analyse  # noqa: E402
from nertool.tagging.compiled import CompiledTagger  # noqa: E402
from nertool.tagging.rules import Rules  # noqa: E402

BLOCK = 1000  # sentences


def blocks(text: Text) -> Iterator[Text]:
    """Cut a text into blocks that share their word types, as predict does."""
    words = WordTypes(list(text.words))
    for start in range(0, len(text.sentence_starts) - 1, BLOCK):
        starts = text.sentence_starts[start : start + BLOCK + 1]
        yield Text(
            words,
            text.word_ids[starts[0] : starts[-1]],
            starts - starts[0],
            np.array([0, len(starts) - 1]),
        )


def phrases(corpus: Corpus, n: int, rng: np.random.Generator) -> list[tuple[str, ...]]:
    """Return n phrases: the text's entities, and names composed of their words."""
    spans = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
    made = {
        tuple(corpus.words[i] for i in corpus.word_ids[start:end].tolist())
        for start, end in zip(spans.starts.tolist(), spans.ends.tolist(), strict=True)
    }
    words = sorted({word for phrase in made for word in phrase})
    while len(made) < n:
        drawn = rng.integers(0, len(words), size=int(rng.integers(2, 5)))
        made.add(tuple(words[i] for i in drawn.tolist()))
    return sorted(made)[:n]


def main() -> None:
    """Measure, and print a line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("model", type=Path)
    parser.add_argument("--phrases", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    check_data()
    model = load_model(asked.model)
    path = DATA / "conll2003/train.txt"
    corpus = read_labelled(
        path, "conll", reading_of(model.config.corpus), Ledger(), lambda line: None
    )
    text = Text(corpus.words, corpus.word_ids, corpus.sentence_starts, corpus.document_starts)
    tagger = CompiledTagger(model)
    rules = Rules(model.labels, model.config.decoding.scheme, model.tags)
    began = time.process_time()
    for n, words in enumerate(phrases(corpus, asked.phrases, np.random.default_rng(0))):
        rules.add(list(words), model.labels[n % len(model.labels)])
    built = time.process_time() - began
    pieces = list(blocks(text))
    seconds: dict[bool, list[float]] = {False: [], True: []}
    for _ in range(asked.rounds + 1):
        for with_rules in (False, True):
            tagger.rules = rules if with_rules else None
            began = time.process_time()
            for piece in pieces:
                analyse(tagger, piece)
            seconds[with_rules].append(time.process_time() - began)
    without, with_ = (median(seconds[key][1:]) for key in (False, True))
    found = rules.take_found() // (asked.rounds + 1)
    print(
        f"{asked.phrases:,} phrases, {found:,} found in {len(text.word_ids):,} tokens: "
        f"{without:.3f} s without, {with_:.3f} s with, {100 * (with_ / without - 1):.1f} % more; "
        f"{built:.2f} s to build"
    )


if __name__ == "__main__":
    main()
