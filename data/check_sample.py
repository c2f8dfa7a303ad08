"""Check what data/README.md says of the sample, and print its figures. Exit 1 if a rule is broken.

python data/check_sample.py [another.conll …]      # other corpora, in any format: printed beside
"""

import sys
from collections import Counter
from pathlib import Path

from nertool.corpus.columnar import Corpus
from nertool.corpus.ledger import Ledger
from nertool.corpus.record import Reading
from nertool.corpus.schemes import spans_of
from nertool.formats.read import read_corpus

DATA = Path(__file__).resolve().parent
PARTS = ("train", "dev", "test")
LEAST_DOCUMENTS, LEAST_SENTENCES, LEAST_TOKENS = 120, 1_500, 28_000
MOST_REPEATS = 5
TTR_TOKENS = 10_000  # the type/token ratio falls with length, so it is taken of equal pieces


def corpus_of(path: Path) -> Corpus:
    return read_corpus(path, "auto", Reading(needs_labels=True), Ledger())


def figures(corpora: list[Corpus]) -> dict[str, float]:
    """Sum up a corpus' parts: sizes, entities by class per 1,000 tokens, type/token ratio, unseen share."""
    out: dict[str, float] = {
        "documents": sum(c.documents for c in corpora),
        "sentences": sum(c.sentences for c in corpora),
        "tokens": sum(c.tokens for c in corpora),
    }
    out["tokens a sentence"] = out["tokens"] / out["sentences"]
    first = [c.words[i].lower() for c in corpora for i in c.word_ids[:TTR_TOKENS]][:TTR_TOKENS]
    out[f"types in {TTR_TOKENS:,} tokens"] = len(set(first))
    counts: Counter[str] = Counter()
    for corpus in corpora:
        spans = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
        counts.update(span.label for span in spans.as_list())
    out["entities"] = counts.total()
    for label in sorted(counts):
        out[f"{label} in 1,000 tokens"] = 1000 * counts[label] / out["tokens"]
    return out


def entity_forms(corpus: Corpus) -> set[tuple[str, ...]]:
    spans = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts).as_list()
    words = [corpus.words[i] for i in corpus.word_ids]
    return {tuple(words[span.start : span.end]) for span in spans}


def repeated_frames(corpora: list[Corpus]) -> list[tuple[tuple[str, ...], int]]:
    """List the sequences of 5 tokens, each entity taken as one slot, that hold a slot and recur too often."""
    frames: Counter[tuple[str, ...]] = Counter()
    for corpus in corpora:
        found = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
        spans = {span.start: span for span in found.as_list()}
        slots = {f"<{label}>" for label in found.label_names}
        for start, end in zip(corpus.sentence_starts, corpus.sentence_starts[1:], strict=False):
            line, at = [], int(start)
            while at < end:
                span = spans.get(at)
                line.append(
                    f"<{span.label}>" if span else corpus.words[corpus.word_ids[at]].lower()
                )
                at = span.end if span else at + 1
            grams = (tuple(line[i : i + 5]) for i in range(len(line) - 4))
            frames.update(gram for gram in grams if any(word in slots for word in gram))
    return [(gram, n) for gram, n in frames.most_common() if n > MOST_REPEATS]


def main() -> int:
    columns: dict[str, dict[str, float]] = {}
    broken = []
    for sample in ("sample", "support"):
        parts = [corpus_of(DATA / sample / f"{part}.conll") for part in PARTS]
        columns[sample] = figures(parts)
        for gram, n in repeated_frames(parts):
            broken.append(
                f"{sample}: {' '.join(gram)!r} occurs {n} times, more than {MOST_REPEATS}"
            )
        train = entity_forms(parts[0])
        for part, corpus in zip(PARTS[1:], parts[1:], strict=True):
            forms = entity_forms(corpus)
            columns[sample][f"% of {part}'s names not in train"] = (
                100 * len(forms - train) / len(forms)
            )
    size = columns["sample"]
    for key, least in (
        ("documents", LEAST_DOCUMENTS),
        ("sentences", LEAST_SENTENCES),
        ("tokens", LEAST_TOKENS),
    ):
        if size[key] < least:
            broken.append(f"sample: {size[key]:,.0f} {key}, fewer than {least:,}")
    for path in sys.argv[1:]:
        columns[path] = figures([corpus_of(Path(path))])

    rows = list(dict.fromkeys(key for column in columns.values() for key in column))
    print("| | " + " | ".join(Path(name).name for name in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for row in rows:
        cells = [
            f"{c[row]:,.{0 if c[row] > 100 else 1}f}" if row in c else "" for c in columns.values()
        ]
        print(f"| {row} | " + " | ".join(cells) + " |")
    for line in broken:
        print(line, file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
