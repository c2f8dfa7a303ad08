"""Gold and predicted entities of one text, side by side: what every measure starts from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Corpus, Ids, Interner, Offsets
from nertool.corpus.schemes import TagSpans, find_scheme, spans_of
from nertool.errors import CorpusError
from nertool.evaluation.matching import Integers, sentence_of, with_common_labels
from nertool.evaluation.scores import Scores, count_spans, same_tags, score_predictions, score_tags


@dataclass(frozen=True)
class Comparison:
    """A text with its gold and its predicted entities, in tokens of corpus.

    gold, predicted: in the text's order, with one list of label names. scores: conlleval's.
    probabilities (m,): of the predicted entities, gold_probabilities (n,): what the model gave to
    the gold ones; None where no model gave them.
    """

    corpus: Corpus
    gold: TagSpans
    predicted: TagSpans
    scores: Scores
    probabilities: NDArray[np.float64] | None = None
    gold_probabilities: NDArray[np.float64] | None = None

    def text(self, start: int, end: int) -> str:
        """Return tokens start up to, not including, end, with blanks between."""
        words = self.corpus.words
        return " ".join(words[i] for i in self.corpus.word_ids[start:end].tolist())


def compare_tags(
    corpus: Corpus,
    tag_ids: Ids,
    tags: list[str],
    probabilities: NDArray[np.float64] | None = None,
    gold_probabilities: NDArray[np.float64] | None = None,
) -> Comparison:
    """Compare a labelled text with a model's tags (N,), which point into `tags`."""
    starts = corpus.sentence_starts
    scheme = find_scheme(corpus.tag_ids, corpus.tags, starts)
    gold = spans_of(corpus.tag_ids, corpus.tags, starts)
    predicted = spans_of(tag_ids, tags, starts)
    scores = score_predictions(tag_ids, tags, corpus.tag_ids, corpus.tags, scheme, starts)
    gold, predicted = with_common_labels(gold, predicted)
    return Comparison(corpus, gold, predicted, scores, probabilities, gold_probabilities)


def compare_files(
    gold: Corpus, predicted: Corpus, report: Callable[[str], None] = lambda line: None
) -> Comparison:
    """Compare two labelled editions of one text, such as a gold file and any tool's output.

    Where they cut it into other tokens, both are cut at every boundary of either, and the entities
    compared there. Sentences and documents are the gold's. Errors: CorpusError naming the first
    place at which the texts differ.
    """
    gold_spans = spans_of(gold.tag_ids, gold.tags, gold.sentence_starts)
    predicted_spans = spans_of(predicted.tag_ids, predicted.tags, predicted.sentence_starts)
    if _same_tokens(gold, predicted):
        scores = score_tags(
            gold.tag_ids, gold.tags, predicted.tag_ids, predicted.tags, gold.sentence_starts
        )
        # The spans above were read within the predicted file's own sentences.
        spans = with_common_labels(gold_spans, predicted_spans)
        scores = replace(scores, types=count_spans(*spans))
        return Comparison(gold, spans[0], spans[1], scores)
    ends, other_ends = _character_ends(gold, predicted)
    cuts = np.union1d(ends, other_ends)
    report(
        f"{gold.source} and {predicted.source} are cut into {gold.tokens:,} and "
        f"{predicted.tokens:,} tokens; compared at all {len(cuts):,} boundaries of both"
    )
    corpus, owner = _cut_at(gold, ends, cuts)
    other_owner = np.searchsorted(other_ends, cuts)
    spans = with_common_labels(
        _moved(gold_spans, ends, cuts), _moved(predicted_spans, other_ends, cuts)
    )
    right = same_tags(
        gold.tag_ids[owner], gold.tags, predicted.tag_ids[other_owner], predicted.tags
    )
    scores = Scores(count_spans(*spans), len(cuts), int(right.sum()), gold.sentences)
    return Comparison(corpus, spans[0], spans[1], scores)


def _same_tokens(a: Corpus, b: Corpus) -> bool:
    if a.tokens != b.tokens:
        return False
    number = Interner()
    ours, theirs = (np.array([number[w] for w in c.words] or [0])[c.word_ids] for c in (a, b))
    return bool((ours == theirs).all())


def _character_ends(gold: Corpus, predicted: Corpus) -> tuple[Integers, Integers]:
    """Return where each token of both ends, counted in characters without blanks."""
    sides = []
    for corpus in (gold, predicted):
        words = ["".join(word.split()) for word in corpus.words]
        lengths = np.array([len(word) for word in words] or [0], dtype=np.int64)
        text = "".join([words[i] for i in corpus.word_ids.tolist()])
        sides.append((text, np.cumsum(lengths[corpus.word_ids])))
    (text, ends), (other, other_ends) = sides
    if text != other:
        at = next(
            (i for i, (a, b) in enumerate(zip(text, other, strict=False)) if a != b),
            min(len(text), len(other)),
        )
        places = []
        for corpus, own in ((gold, ends), (predicted, other_ends)):
            token = int(np.searchsorted(own, at, side="right"))
            here = token < corpus.tokens
            word = f'"{corpus.words[corpus.word_ids[token]]}"' if here else "the end of the text"
            places.append((corpus.place(min(token, corpus.tokens - 1)), word))
        (place, word), (other_place, other_word) = places
        raise CorpusError(
            f"{other_place}: found {other_word}, expected {word} as in {place}; the gold and the "
            "predicted file must hold the same text"
        )
    return ends, other_ends


def _cut_at(corpus: Corpus, ends: Integers, cuts: Integers) -> tuple[Corpus, Integers]:
    """Return a corpus with its tokens, which end at `ends`, cut at `cuts`, and each piece's token."""
    owner = np.searchsorted(ends, cuts)
    starts = np.concatenate([[0], cuts[:-1]])
    token_starts = np.concatenate([[0], ends[:-1]])
    number = Interner()
    words = ["".join(word.split()) for word in corpus.words]
    ids = [
        number[words[corpus.word_ids[t]][a:b]]
        for t, a, b in zip(
            owner.tolist(),
            (starts - token_starts[owner]).tolist(),
            (cuts - token_starts[owner]).tolist(),
            strict=True,
        )
    ]
    first: Offsets = np.append(np.searchsorted(owner, np.arange(corpus.tokens)), len(cuts))
    cut = replace(
        corpus,
        words=list(number),
        word_ids=np.array(ids, dtype=np.int32),
        tag_ids=corpus.tag_ids[owner],
        sentence_starts=first[corpus.sentence_starts],
        line_numbers=corpus.line_numbers[owner],
        records=None,
    )
    return cut, owner


def _moved(spans: TagSpans, ends: Integers, cuts: Integers) -> TagSpans:
    """Return spans of tokens that end at `ends` as spans of the pieces that end at `cuts`."""
    first = np.searchsorted(cuts, np.concatenate([[0], ends])[spans.starts], side="right")
    last = np.searchsorted(cuts, ends[spans.ends - 1])
    return TagSpans(first, last + 1, spans.labels, spans.label_names)


def units_of(corpus: Corpus, by: str) -> tuple[Integers, int]:
    """Return the sentence or document of each token, (N,), and how many there are."""
    starts = corpus.sentence_starts
    if by == "document":
        starts = starts[corpus.document_starts]
    return sentence_of(np.arange(corpus.tokens), starts), len(starts) - 1
