"""Compare the gold and predicted entities of one text. All measures are computed from a Comparison."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    """A text with its n gold and its m predicted entities.

    gold, predicted: in text order, in tokens of corpus, with one list of label names. scores: conlleval's.
    probabilities (m,): of the predicted entities. gold_probabilities (n,): the model's probabilities of the
    gold entities. Both are None if not known. sources: for a text from several files, the first token and the
    name of each file.
    """

    corpus: Corpus
    gold: TagSpans
    predicted: TagSpans
    scores: Scores
    probabilities: NDArray[np.float64] | None = None
    gold_probabilities: NDArray[np.float64] | None = None
    sources: tuple[tuple[int, str], ...] = ()

    def place(self, token: int) -> str:
        """Return the position of a token, as file:line."""
        source = next((s for first, s in reversed(self.sources) if first <= token), None)
        return f"{source or self.corpus.source}:{self.corpus.line_numbers[token]}"

    def text(self, start: int, end: int) -> str:
        """Return the tokens from start up to, but not including, end, joined by blanks."""
        words = self.corpus.words
        return " ".join(words[i] for i in self.corpus.word_ids[start:end].tolist())


def compare_tags(
    corpus: Corpus,
    tag_ids: Ids,
    tags: list[str],
    probabilities: NDArray[np.float64] | None = None,
    gold_probabilities: NDArray[np.float64] | None = None,
) -> Comparison:
    """Compare a labelled text with predicted tags. tag_ids (N,): indices into `tags`."""
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
    """Compare two labelled versions of one text, such as a gold file and the output of a tool.

    If their tokens differ, both are cut at the token boundaries of either, and entities are compared in these
    smaller tokens. Sentences and documents are those of the gold file. Errors: CorpusError that names the
    first position at which the texts differ.
    """
    gold_spans = spans_of(gold.tag_ids, gold.tags, gold.sentence_starts)
    predicted_spans = spans_of(predicted.tag_ids, predicted.tags, predicted.sentence_starts)
    if _same_tokens(gold, predicted):
        scores = score_tags(
            gold.tag_ids, gold.tags, predicted.tag_ids, predicted.tags, gold.sentence_starts
        )
        # predicted_spans were read within the sentences of the predicted file.
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
    """Return the end of each token in both texts, in characters without blanks. Errors: as compare_files."""
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
    """Cut the tokens of a corpus, which end at `ends`, at `cuts`; return it, and the token of each piece."""
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
        file_ids=None if corpus.file_ids is None else corpus.file_ids[owner],
        records=None,
    )
    return cut, owner


def _moved(spans: TagSpans, ends: Integers, cuts: Integers) -> TagSpans:
    """Convert spans of tokens, which end at `ends`, to spans of pieces, which end at `cuts`."""
    first = np.searchsorted(cuts, np.concatenate([[0], ends])[spans.starts], side="right")
    last = np.searchsorted(cuts, ends[spans.ends - 1])
    return TagSpans(first, last + 1, spans.labels, spans.label_names)


def merged(parts: Sequence[Comparison]) -> Comparison:
    """Merge the comparisons of several texts into one."""
    if len(parts) == 1:
        return parts[0]
    corpora = [part.corpus for part in parts]
    firsts = np.cumsum([0, *(corpus.tokens for corpus in corpora)])
    sentences = np.cumsum([0, *(corpus.sentences for corpus in corpora)])
    word, tag = Interner(), Interner()
    corpus = Corpus(
        source=", ".join(corpus.source for corpus in corpora),
        word_ids=_joined_ids([(c.words, c.word_ids) for c in corpora], word),
        tag_ids=_joined_ids([(c.tags, c.tag_ids) for c in corpora], tag),
        words=list(word),
        tags=list(tag),
        sentence_starts=_joined_offsets([c.sentence_starts for c in corpora], firsts),
        document_starts=_joined_offsets([c.document_starts for c in corpora], sentences),
        line_numbers=np.concatenate([c.line_numbers for c in corpora]),
    )
    sides = []
    for side in ("gold", "predicted"):
        spans: list[TagSpans] = [getattr(part, side) for part in parts]
        label = Interner()
        labels = _joined_ids([(s.label_names, s.labels) for s in spans], label)
        starts, ends = (
            np.concatenate([getattr(s, n) + f for s, f in zip(spans, firsts, strict=False)])
            for n in ("starts", "ends")
        )
        sides.append(TagSpans(starts, ends, labels, list(label)))
    gold, predicted = with_common_labels(*sides)
    scores = Scores(
        count_spans(gold, predicted),
        corpus.tokens,
        sum(part.scores.correct_tokens for part in parts),
        corpus.sentences,
    )
    return Comparison(
        corpus,
        gold,
        predicted,
        scores,
        _joined_floats([part.probabilities for part in parts]),
        _joined_floats([part.gold_probabilities for part in parts]),
        tuple(zip(firsts[:-1].tolist(), (c.source for c in corpora), strict=True)),
    )


def _joined_ids(sides: Sequence[tuple[list[str], Ids]], number: Interner) -> Ids:
    """Concatenate ids into several lists of names as ids into one list, which grows in `number`."""
    lines = [np.array([number[name] for name in names] or [0]) for names, _ in sides]
    ids = [line[own] for line, (_, own) in zip(lines, sides, strict=True)]
    return np.concatenate(ids).astype(np.int32)


def _joined_offsets(parts: Sequence[Offsets], shifts: Offsets) -> Offsets:
    return np.concatenate([[0], *(p[1:] + s for p, s in zip(parts, shifts, strict=False))])


def _joined_floats(parts: Sequence[NDArray[np.float64] | None]) -> NDArray[np.float64] | None:
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if len(known) == len(parts) else None


def units_of(corpus: Corpus, by: str) -> tuple[Integers, int]:
    """Return the index of each token's sentence or document, (N,), and the number of these units."""
    starts = corpus.sentence_starts
    if by == "document":
        starts = starts[corpus.document_starts]
    return sentence_of(np.arange(corpus.tokens), starts), len(starts) - 1
