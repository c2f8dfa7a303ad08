"""Hold out a share of a labelled text as dev, select sentences, and join several texts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from nertool.corpus.columnar import Corpus, Ids, Interner, ranges
from nertool.corpus.schemes import spans_of, tag_names, tags_of

MARKED = 10  # documents; with fewer, the text counts as a text without marked documents
LONGEST = (
    1000  # sentences; if the mean is higher, the "documents" are files without marked documents
)
_BLOCK = 20  # consecutive sentences that stay together in a text without marked documents
_TRIES = 50
_BLOCKS = 50  # the least number of blocks, so that each class can be in both parts


def has_documents(corpus: Corpus) -> bool:
    """Tell whether a text marks its documents.

    It does if it has at least MARKED documents, whose mean length is 2 to LONGEST sentences. A file without
    marks is read as one document.
    """
    return why_not_documents(corpus) is None


def why_not_documents(corpus: Corpus) -> str | None:
    """Return the reason why a text counts as one without marked documents; None if it has them."""
    n, mean = corpus.documents, corpus.sentences / corpus.documents
    if n == 1:
        return "documents are not marked"
    if mean < 2:
        return (
            f"{n:,} documents of {mean:.2f} sentences on average, at least 2 are needed to use them"
        )
    if n < MARKED:
        return f"only {n} documents, at least {MARKED} are needed to use them"
    if mean > LONGEST:
        return f"{n:,} documents of {mean:,.0f} sentences on average, more than documents have ({LONGEST:,})"
    return None


def hold_out(corpus: Corpus, share: float, seed: int) -> tuple[Corpus, Corpus]:
    """Split a text into train and dev, where dev has a share of the tokens. Return (train, dev).

    Whole documents go to dev; in a text without marked documents, blocks of sentences do. The order stays.
    No class is in dev alone. The same seed gives the same parts.
    """
    blocks = corpus
    if not has_documents(corpus):
        size = max(1, min(_BLOCK, corpus.sentences // _BLOCKS))
        starts = np.append(np.arange(0, corpus.sentences, size), corpus.sentences)
        blocks = replace(corpus, document_starts=starts)
    starts = np.unique(blocks.document_starts)
    held = _choose(corpus, starts, share, np.random.default_rng([seed, 7]))
    of_sentences = np.repeat(held, np.diff(starts))
    return take_sentences(corpus, ~of_sentences), take_sentences(corpus, of_sentences)


def _choose(
    corpus: Corpus, starts: NDArray[np.int64], share: float, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Choose the units for dev, (units,) bool. Unit i has the sentences starts[i] to starts[i+1].

    Of _TRIES random choices with this share of the tokens, the result is the one whose share of each class is
    closest to it.
    """
    spans = spans_of(corpus.tag_ids, corpus.tags, corpus.sentence_starts)
    token_starts = corpus.sentence_starts[starts]
    sizes = np.diff(token_starts)
    counts = np.zeros((len(sizes), len(spans.label_names)))
    unit_of = np.searchsorted(token_starts, spans.starts, side="right") - 1
    np.add.at(counts, (unit_of, spans.labels), 1)
    total = counts.sum(axis=0)
    best, least = np.zeros(len(sizes), dtype=bool), np.inf
    for _ in range(_TRIES):
        order = rng.permutation(len(sizes))
        gathered = np.cumsum(sizes[order])
        n = 1 + int(np.argmin(np.abs(gathered - share * sizes.sum())))
        held = np.zeros(len(sizes), dtype=bool)
        held[order[: min(n, len(sizes) - 1)]] = True
        in_dev = counts[held].sum(axis=0)
        # A class in dev alone could not be learnt. The distance is Σ (found − expected)² / expected.
        lost = bool(np.any((in_dev == total) & (total > 0)))
        distance = float(np.sum((in_dev - share * total) ** 2 / np.maximum(share * total, 1e-9)))
        distance += 1e9 * lost
        if distance < least:
            best, least = held, distance
    for label in np.flatnonzero((counts[best].sum(axis=0) == total) & (total > 0)):
        best[np.flatnonzero(counts[:, label])[0]] = False
    return best


def take_sentences(corpus: Corpus, kept: NDArray[np.bool_]) -> Corpus:
    """Return the sentences where `kept` (S,) is True, as a corpus.

    `words` has only their word types. `tags` and `tag_ids` index the same list as before. The result has no
    records.
    """
    lengths = np.diff(corpus.sentence_starts)
    tokens = ranges(corpus.sentence_starts[:-1][kept], lengths[kept])
    words, word_ids = np.unique(corpus.word_ids[tokens], return_inverse=True)
    document_of = np.repeat(np.arange(corpus.documents), np.diff(corpus.document_starts))[kept]
    sizes = np.bincount(document_of, minlength=corpus.documents)
    return replace(
        corpus,
        words=[corpus.words[i] for i in words],
        word_ids=word_ids.astype(np.int32),
        tag_ids=corpus.tag_ids[tokens],
        sentence_starts=_starts(lengths[kept]),
        document_starts=_starts(sizes[sizes > 0]),
        line_numbers=corpus.line_numbers[tokens],
        file_ids=None if corpus.file_ids is None else corpus.file_ids[tokens],
        records=None,
    )


def join(parts: Sequence[Corpus], scheme: str | None = "iob2") -> Corpus:
    """Join several labelled texts into one. Each token keeps its file and line.

    scheme: the tag scheme of the result; the parts may have other schemes. None: the tags stay as they are,
    which is right if all parts have the same scheme.
    """
    words, files = Interner(), Interner()
    word_ids, file_ids, lengths, sizes = [], [], [], []
    for part in parts:
        ids = np.array([words[word] for word in part.words], dtype=np.int32)
        word_ids.append(ids[part.word_ids])
        names = part.files or (part.source,)
        numbers = np.array([files[name] for name in names], dtype=np.int32)
        own = np.zeros(part.tokens, np.int32) if part.file_ids is None else part.file_ids
        file_ids.append(numbers[own])
        lengths.append(np.diff(part.sentence_starts))
        sizes.append(np.diff(part.document_starts))
    tags, tag_ids = _joined_tags(parts) if scheme is None else _tagged(parts, scheme)
    layouts = list(dict.fromkeys(part.layout for part in parts))
    return replace(
        parts[0],
        source=_several(list(files)),
        words=list(words),
        word_ids=np.concatenate(word_ids),
        tags=tags,
        tag_ids=tag_ids,
        sentence_starts=_starts(np.concatenate(lengths)),
        document_starts=_starts(np.concatenate(sizes)),
        line_numbers=np.concatenate([part.line_numbers for part in parts]),
        layout="; ".join(layouts),
        records=None,
        files=tuple(files),
        file_ids=np.concatenate(file_ids),
    )


def _joined_tags(parts: Sequence[Corpus]) -> tuple[list[str], Ids]:
    """Return the distinct tags of all parts, and the tokens' indices (N,) into them."""
    tags = Interner()
    numbers = [np.array([tags[tag] for tag in part.tags], dtype=np.int32) for part in parts]
    pairs = zip(numbers, parts, strict=True)
    return list(tags), np.concatenate([own[part.tag_ids] for own, part in pairs])


def _tagged(parts: Sequence[Corpus], scheme: str) -> tuple[list[str], Ids]:
    """Return the tags in one scheme, and the tokens' indices (N,) into them."""
    all_spans = [spans_of(part.tag_ids, part.tags, part.sentence_starts) for part in parts]
    tags = tag_names(sorted({name for spans in all_spans for name in spans.label_names}), scheme)
    pairs = zip(parts, all_spans, strict=True)
    ids = [tags_of(spans, part.sentence_starts, tags, scheme) for part, spans in pairs]
    return tags, np.concatenate(ids)


def _several(names: Sequence[str]) -> str:
    """Return the names of files for a message: the first three, and the number of others."""
    shown = ", ".join(names[:3])
    return shown if len(names) <= 3 else f"{shown} and {len(names) - 3} more"


def _starts(lengths: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
